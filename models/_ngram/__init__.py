"""What :mod:`bayescollapse.models.ngram` is made of: counts, urns, functionals, text."""
