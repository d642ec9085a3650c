"""What the registry says of the sensitivity measures is what they are called and can be."""

import bayescollapse as bc
from bayescollapse.measures.registry import registered
from bayescollapse.models import gaussian_mean


def test_every_measure_is_registered_and_in_its_range():
    experiment = bc.Experiment(
        gaussian_mean.estimator(prior_sd=1.0),
        bc.Truth(mu=0.0),
        bc.schemes.accumulate(),
        n_real=20,
        generations=3,
        replicates=4,
    )
    run = experiment.run(progress=False)
    datasets = [
        bc.sensitivity(experiment, run, average=False, progress=False),
        bc.stability(experiment, run, average=False, progress=False),
        bc.ablation(experiment, run, average=False, progress=False),
    ]
    lines = {m.name: m for m in registered() if m.question == "sensitivity"}
    found = {str(name) for out in datasets for name in out.data_vars}
    found -= {"pareto_k", "refitted", "failed"}
    found = {name for name in found if not name.endswith("_mcse")}
    assert found == set(lines)
    for out in datasets:
        for name in found & set(out.data_vars):
            values = out[name].to_numpy()
            values = values[values == values]
            assert (values >= lines[name].lowest).all() and (values <= lines[name].highest).all()
            assert out[name].attrs["units"] == lines[name].units, name
