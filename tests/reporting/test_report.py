"""Pages: self-contained, escaped, with every table; nothing left behind by a refusal."""

from html.parser import HTMLParser

import matplotlib
import numpy as np
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse.models import gaussian_mean
from bayescollapse.reporting import Section, page
from bayescollapse.reporting.section import close, figure_uri, format_value, table_cells
from bayescollapse.reporting.standard import information_section, predictive_section
from bayescollapse.reporting.words import lead
from tests.measures.synthetic import make_run

matplotlib.use("agg")

VOID = {"meta", "img", "br", "link", "input"}


class Reader(HTMLParser):
    """Collects tags, references and text, and checks that tags are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.references, self.words, self.open = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.references += [v for k, v in attrs if k in ("src", "href", "srcset", "data")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def read(path):
    text = path.read_text(encoding="utf-8")
    reader = Reader(text)
    assert all(r.startswith(("#", "data:image/png;base64,")) for r in reader.references)
    assert "http://" not in text and "https://" not in text and "@import" not in text
    assert not {"script", "link", "iframe"} & set(reader.tags)
    return reader, " ".join(" ".join(reader.words).split())


def test_report_of_a_synthetic_run(tmp_path):
    path = bc.report(make_run(), tmp_path / "deep" / "run.html")
    reader, text = read(path)
    assert reader.tags.count("table") == 8 and reader.tags.count("img") == 2
    said = ("1 of 400 fits did not pass", "honest", "proud", "beta[1]", "rows worth", "Settings")
    for words in said:
        assert words in text
    assert [p.name for p in path.parent.iterdir()] == ["run.html"]
    from matplotlib import pyplot

    assert pyplot.get_fignums() == []


def test_report_of_an_experiment_shows_the_sweep(tmp_path):
    from bayescollapse.models import gaussian_mean

    shares = (0.3, 0.45, 0.55, 0.65, 0.75, 0.9)
    schemes = {f"w <{w}>": bc.schemes.weighted(w, emission="plug-in") for w in shares}
    schemes |= {f"other {i}": bc.schemes.replace(total_weight=10 + i) for i in range(6)}
    run = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.5),
        schemes,
        n_real=20,
        generations=4,
        replicates=50,
        held_out=10,
        seed=3,
    ).run(progress=False)
    theory = [{"real_share": w, "error": 0.04} for w in shares] + [{"optimum": 0.618}]
    own = Section("My own", "First.\n\nSecond.", table=[{"a_b": 1}])
    settings = {"title": "Sweep & more", "sections": [own], "theory": theory}
    path = bc.report(run, tmp_path / "run.html", **settings)
    reader, text = read(path)
    assert reader.tags.count("img") == 3
    for words in ("Error against real share", "located minimum", "closed form", "w <0.3>", "a b"):
        assert words in text
    assert "of 12 schemes are drawn" in text
    assert "6 at most, and this run has 12: bc.collapse(run) gives it" in text
    assert text.index("My own") < text.index("What was run") and "Predictions" in text
    again = bc.report(run, tmp_path / "again.html", **settings)
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    "settings",
    [{"truth": False, "reference": False}, {"statistics": ["mean", "sd"]}, {"replicates": 1}],
)
def test_report_of_lesser_runs(tmp_path, settings):
    _, text = read(bc.report(make_run(**({"replicates": 4} | settings)), tmp_path / "run.html"))
    assert "Not available" in text


def test_a_single_replicate_is_worth_nothing_that_could_be_told(tmp_path):
    run = make_run(1, 3)
    assert np.isfinite(bc.information(run)["rows_worth"]).all()
    rows = information_section(run)
    assert np.isnan([row["rows worth"] for row in rows.table]).all()
    assert np.isfinite([row["rows claimed"] for row in rows.table]).all()
    assert "left blank" in rows.text
    close(rows.figure)
    several = information_section(make_run(2, 3))
    assert np.isfinite([row["rows worth"] for row in several.table]).all()
    assert "left blank" not in several.text
    close(several.figure)
    assert "2 schemes, 1 replicate, 3 generations." in lead(run)


def test_coverage_and_its_limits_share_a_cell():
    section = information_section(make_run(4, 3))
    close(section.figure)
    assert section.table[0]["95 % interval covers"].endswith("(0.40 to 1.00)")


def test_tables_are_whole_unless_they_are_long(tmp_path):
    tables = {60: False, 61: True}
    for rows, scrolls in tables.items():
        section = Section("a", table=[{"x": i} for i in range(rows)])
        path = page("t", "", [section], tmp_path / "x.html")
        text = path.read_text(encoding="utf-8")
        assert ("61 rows: scroll inside its frame" in text) == scrolls
        assert ('class="scroll table long"' in text) == scrolls
    heights = [line for line in text.splitlines() if "max-height" in line]
    assert all(".scroll.long" in line for line in heights)


def test_predictions_explain_only_what_they_show():
    def text(**settings):
        run = bc.Experiment(
            gaussian_mean.estimator(),
            bc.Truth(mu=0.0),
            bc.schemes.replace(),
            n_real=10,
            generations=2,
            replicates=2,
            **settings,
        ).run(progress=False)
        return predictive_section(run).text

    assert "Held-out" not in text() and "emitted sd" in text()
    assert "Held-out" in text(held_out=5)


def test_page_escapes_everything(tmp_path):
    evil = "<script>alert(1)</script>"
    section = Section(evil, evil, table=[{evil: evil}])
    reader, text = read(page(evil, evil, [section] * 3, tmp_path / "x.html"))
    assert text.count(evil) >= 9


def test_page_refuses_and_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="path must end in '.html'"):
        page("a", "", [], tmp_path / "x.txt")
    with pytest.raises(TypeError, match="Section values, got str"):
        page("a", "", ["text"], tmp_path / "x.html")
    with pytest.raises(ValueError, match="title must not be empty"):
        page(" ", "", [], tmp_path / "x.html")
    with pytest.raises(ValueError, match="no attribute 'configuration'"):
        bc.report(xr.DataTree(), tmp_path / "x.html")
    # The path is looked at before anything else, for a report takes a while.
    with pytest.raises(ValueError, match="path must end in '.html'"):
        bc.report("no run", tmp_path / "x.pdf")
    assert list(tmp_path.iterdir()) == []


def test_section_and_figures(tmp_path):
    from matplotlib.figure import Figure

    with pytest.raises(ValueError, match="caption must say"):
        Section("a", figure=Figure())
    with pytest.raises(ValueError, match="title must not be empty"):
        Section("")
    figure = Figure(figsize=(1, 1))
    assert figure_uri(figure).startswith("data:image/png;base64,iVBOR")
    figure.savefig(tmp_path / "f.png", dpi=150, facecolor="white", metadata={"Software": None})
    assert figure_uri(tmp_path / "f.png") == figure_uri(figure)
    (tmp_path / "f.jpg").write_bytes(b"no")
    with pytest.raises(ValueError, match="PNG file"):
        figure_uri(tmp_path / "f.jpg")
    with pytest.raises(TypeError, match="matplotlib figure"):
        figure_uri(3)
    with pytest.raises(ValueError, match="backend 'matplotlib'"):
        figure_uri(bc.plot_drift(make_run(2, 2), var_names="mu", backend="none"))


def test_tables_of_every_kind():
    import pandas as pd

    data = xr.Dataset({"x": (("a", "b"), [[1.0, np.nan]])}, coords={"a": ["p"], "b": [0, 1]})
    assert table_cells(data) == (["a", "b", "x"], [[("p", False), ("0", True), ("1", True)]])
    assert table_cells(pd.DataFrame({"x_y": [0.5]})) == (["x y"], [[("0.500", True)]])
    assert table_cells([{"a": 1}, {"b": True}])[1] == [
        [("1", True), ("", False)],
        [("", False), ("yes", False)],
    ]
    assert format_value(np.float64("inf")) == "∞"


def only_large(proposed, context):
    """Keep rows above one half."""
    return proposed["y"].to_numpy() > 0.5


def test_selections_are_reported(tmp_path):
    scheme = bc.Scheme(
        supply="none", selection=bc.schemes.Filter(only_large, max_proposals=2), emission="plug-in"
    )
    run = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        {"filtered": scheme, "mixed": bc.Scheme(supply=bc.schemes.Contaminated(0.25, total=12))},
        n_real=12,
        generations=3,
        replicates=9,
    ).run(progress=False)
    short = bc.diagnose(run)["short"]
    assert (short.sel(scheme="filtered") > 0).any()
    assert (short.sel(scheme="mixed") == 0).all()
    assert run.attrs["short_selections"] == int(short.sum())
    text = bc.report(run, tmp_path / "report.html").read_text()
    assert "Filter(function=function" in text
    assert "Contaminated(real_share=0.25, total=12)" in text
    assert "share of lineages short" in text
    assert "cells whose selection was short of rows" in text
