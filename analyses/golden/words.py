"""Words of the golden-ratio page."""

SIX = """Six scenarios: a Gaussian mean, a Gaussian covariance, linear regression (with new
covariates each generation, and on one fixed design), logistic regression, Poisson regression and a
whole distribution function. Each generation sees 100 fresh real rows and 100 rows that its
predecessor made at its posterior mean. There are two coordinates or coefficients (one for the
Gaussian mean and the distribution).

The covariance is fitted twice. A PyMC model of a normal, with weighted rows, also counts the
distance between the means of the real and the synthetic rows; the paper's own update centres the
two groups separately. The errors differ, and each has its own exact law; the paper's update is a
plain NumPy loop here, because no likelihood does that."""

DRAWN = """The same models, but a posterior draw makes the rows: one draw for all rows of a
generation (joint), as in posterior predictive replications, or one draw a row (predictive). Joint
emission passes on the posterior's own uncertainty too, so more weight should go to the real
rows."""

OTHER = """The Gaussian mean with another number of real rows per synthetic row, k. The golden ratio
belongs to k = 1 alone: fewer real rows should have less weight, but far more than the share of rows
that they are."""

SHARES = """Dots: measured errors with two Monte Carlo standard errors. Line: the law for these
generations and this emission. Shaded: the smallest measured error with its 95 % interval. Dashed:
the real share where the law is smallest."""

ERRORS = """The error at the share nearest the best one by theory, in units of what theory gives a
fit to the real rows alone, averaged over replicates and the second half of the generations. z is
the distance between measurement and law in Monte Carlo standard errors; the last column is the
largest |z| of all shares.

Exact laws hold for these numbers of rows: |z| above 3 is rare. First-order laws leave out terms
that shrink with the rows: about (features + 1) / n of the error for linear regression, and much
more at 100 rows for logistic and Poisson regression, whose errors lie above the law. These are
there for the place of the minimum."""

GROWTH = """Every generation sees nothing but 100 rows that its predecessor made at its posterior
mean; real rows exist at generation 0 only. Errors are in units of what theory gives generation 0.
They grow by one unit a generation for a mean and for coefficients. A distribution function cannot
be wronger than a single point, so its error bends towards 100 units here. The weighted normal model
shrinks its covariance by 1 % a generation, and the paper's update does not, but scatters ever
wider.

The laws are of means over lineages. A squared error's mean exceeds its median, in a steady
proportion for a mean and for coefficients. For the covariance the gap widens: most lineages
collapse quietly, while a few run away and carry the mean. Its standard error is then usually too
small, and z leans to negative values.

For logistic and Poisson regression the law is first order and starts low at 100 rows; errors that
have grown large leave it altogether."""

GROWTH_CAPTION = """Dots: mean error over lineages with two Monte Carlo standard errors. Line: the
law, which was not fitted; dashed where it is one for large samples only. Dotted: the error that
half of the lineages stay below. Read each picture on its own scale."""

RATIOS = """100 real rows, and ever more synthetic ones. Pooling gives every row the same weight, so
that real rows drown: their share of the weight is k/(1+k). The best share of theory falls much more
slowly. Errors are in units of what theory gives real rows only, averaged over the second half of
the generations; theory is the law for these generations. Pooled loops with few real rows forget
slowly, so they run longer, and their errors vary more between lineages: a lineage's error hardly
changes from one generation to the next, and z leans to negative values as it does for any few
skewed numbers."""

RATIOS_CAPTION = """Left on each picture: much synthetic data. Dots: measured errors with two Monte
Carlo standard errors. Lines, and level marks where there are two ratios only: the laws. Coloured
dashes: laws for large samples only. Grey dashes: pooling never gets below one half, however many
synthetic rows there are; the best share goes to zero."""

TABLE = """Fresh real rows are resampled from the table; the truth is the fit on the whole table;
emission is plug-in at the posterior mean. The prior is flat, and the law counts it."""

TABLE_ERRORS = """Errors at the share nearest the best one by theory, in units of what theory gives
the frequencies of 500 real rows alone; columns as above."""

NUTS = """Each generation is a NUTS fit of the PyMC model to weighted rows, under joint emission.
Replicates are few, so the bars are wide and no minimum is claimed."""

FEW = "Dots: measured errors with two Monte Carlo standard errors over the replicates."

GATE = """A fit passes when R-hat is at most 1.01 or below what a converged chain of its effective
size shows in 999 of 1,000 cases, effective sizes are at least 100 a chain, and nothing diverged.
Exact posteriors have nothing to check."""

LOOPS = """Five loops on a Gaussian with unknown mean and variance, joint emission, n = m = 100,
Jeffreys' prior."""

DRIFT = """Top: squared error against the truth. Bottom: Gaussian Kullback-Leibler divergence from
the first generation's posterior, in nats. Solid: mean over replicates; dotted: median; where they
part, a few lineages carry the mean."""

COVERAGE = """Top: how often the central 95 % interval holds the truth; the dashed line is what it
claims. Bottom: real rows claimed per real row worth; 1 is honest, above 1 is overconfident."""

EVERY = """The errors behind every dot, with law, standard error and z, are in errors.csv (real
shares), growth.csv (generations without real rows) and ratios.csv (few real rows) beside this
page."""
