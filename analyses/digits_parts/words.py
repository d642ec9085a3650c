"""Text of the page of the digits analysis."""

__all__ = [
    "AGAINST",
    "CURVE",
    "DENSITY",
    "FRECHET",
    "GRID",
    "LEAD",
    "LIMITS",
    "METHOD",
    "NEURAL",
    "NEURAL_CURVE",
    "READ",
    "RECOGNISED",
    "TABLE",
    "TITLE",
    "VARIETY",
    "VERIFIERS",
]

TITLE = "Can a verifier keep a model of digits sound that learns from its own digits?"
LEAD = """A model is fitted to {images} real images of handwritten digits ({name}) and makes images
itself. The next generation is fitted to those alone, and so on until generation {last}. A verifier,
trained once on real digits, may stand in between and pass only the best {keep} % of each digit.
{lineages} lineages of each loop start from different real images.

Yi, Liu, Cheng and Xu (2025, arXiv:2510.16657) ran this loop with a variational autoencoder at a
larger size. After them it is expected that images improve on generation 0 under a verifier and then
stop improving, and that they degrade without one. What was seen here is said beside it, whether it
agrees or not."""
READ = """Changes are paired within lineages, with 95 % intervals by Student's t: factors for the
Fréchet distance, where below 1 is better, and differences for the others. “Undecided”: the interval
holds no change. “Expected” is about the Fréchet distance and the density; about legibility the
paper says nothing."""
AGAINST = """The same generation of two loops that start from the same real images and use the same
random numbers, paired within lineages, with 95 % intervals: the factor of the Fréchet distance
(above 1: worse with the verifier), and differences of the other measures (positive: larger with
it)."""
TABLE = """Means over lineages with 95 % intervals by Student's t; geometric means for the Fréchet
distance. All measures are of images before any selection."""
FRECHET = """The squared Fréchet distance of made images to those held out, in the features of a
small network that was trained on other real digits (second hidden layer, 32 units). The features
are not those of published figures, which cannot be compared. Real images are not at 0 either, as
both sets are finite."""
DENSITY = """The mean log density that each generation's model gives to real images that were held
out. Only differences mean something; the axis is logarithmic below −100."""
RECOGNISED = """The share of made images that the network of the features takes for the digit that
they were made as. It is not the classifier that verifies, and was trained on other images."""
VARIETY = """The root mean squared distance of images from the mean image of their digit, pixel
noise included, in units of the same for held-out images: at 1, made digits differ as much as real
ones."""
CURVE = """Thin: lineages. Thick: their mean, shaded: its 95 % interval. Dashed and dotted: what
real images, and a model of the same form fitted to all real images that are not held out, reach."""
GRID = """Two images of each digit, 0 to 9 from left to right, that each generation of the first
lineage (number on the left) makes before any selection, with the same random numbers in every line.
They are the first ones, not chosen. The top line shows real images that were held out."""
METHOD = """Images: {name}; {pixels} pixels. Class by class, they are parted into {pool} that
generations 0 are drawn from (balanced, without replacement within a lineage), {other} that the
features are learnt from, and {test} held out. At 28 × 28 pixels a fit takes about ten times as
long.

Model: images of a digit are normal, with a mean image, {factors} factors with loadings of its own,
and pixel noise of one size for all digits; the factors are integrated out exactly (probabilistic
PCA by class, Tipping and Bishop 1999, doi:10.1111/1467-9868.00196). Normal pixels can be lighter
than white or darker than black; pictures cut them off, the model does not.

Method: posterior modes (map), which is approximate: a mode has no spread, and emission is plug-in
at it. NUTS is out of reach with {parameters} parameters whose loadings are known up to a rotation
only. The mode of the noise is too small on average, because factors and means explain some of it,
and the loss adds up over generations: this alone lowers the density, with or without a verifier.

Sizes: {images} real images in generation 0, then {made} images in all loops; a verifier chooses
them from {proposed}. Distances, legibility and variety are of {sample} further images a generation
and lineage."""
VERIFIERS = """Both are trained once, on the {known} real images that are not held out, the same for
all generations. Held-out images are kept from them, or the density and the distance would be of
images that the loop has seen.

“Legible”: a classifier (extremely randomised trees on pixels, scikit-learn). Its score is the
probability that an image shows the digit that it was made as.

“Lifelike”: a discriminator of real images from images that models of generation 0 make (25 nearest
neighbours among both, in the space of the linear discriminants of the digits, scikit-learn). Its
score is the share of real ones. The images that it learns to tell apart come from closed-form
probabilistic PCA of {images} real images, drawn ten times.

Before these two were settled on, others were tried in a sketch of the loop: closed-form fits,
500 or 2,000 images a generation, 5 or 10 factors, two lineages, 10 to 20 generations. As
classifiers a perceptron and a support vector machine; as discriminators perceptrons, logistic
regression, trees and support vector machines on pixels or their principal components, and the
density ratio of two models; the density of a model of all real images; the distance to the nearest
real ones; and some of these capped at what real digits score. None improved the Fréchet distance or
the held-out density on generation 0, and most made the distance grow faster than it does without
a verifier: the loop moves to images that score high and that no real digit resembles. So what is
seen here is not the luck of one verifier, and no verifier was chosen for doing well."""
LIMITS = """A model of the same form that is fitted to all real images (dotted lines) is better than
generation 0, so there was something for a verifier to mend. The models are far from the paper's
network, images are smaller and fewer, and the features are not Inception's; its verifiers were
other networks, some of them retrained. A fixed verifier that always keeps the best tenth has no
end: each generation is chosen again from the tail of the one before, and what its score does not
see is lost. The paper's theorem is about a verifier that accepts a fixed region."""
NEURAL = """Each pixel is black or white, with log odds from a neural network ({hidden} hidden
units) that reads the digit and {latent} latent variables of the image; {decoder_images} images a
generation, {decoder_lineages} lineages, until generation {decoder_last}. Posteriors are mean-field
ADVI, declared as approximate; emission is plug-in at their means. Held-out log probabilities, of
{held_out} images, integrate the latent variables out by importance sampling and are too low on
average. The verifier is the classifier, trained on real images that are rounded as well. Figures do
not compare with those above. So few lineages give no useful interval: the table has every fit."""
NEURAL_CURVE = "Thin: lineages. Thick: their geometric mean."
