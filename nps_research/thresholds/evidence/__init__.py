"""How well each line separates: likelihoods, resamples, shapes, verdicts."""
