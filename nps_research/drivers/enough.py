"""What is too few to say what drives loyalty."""

LEAST_ANSWERS = 100  # for a model, however few its drivers
ANSWERS_PER_DRIVER = 10  # for a model of many
LEAST_CLUSTERS = 20  # to judge by: errors over fewer come out too small
LEAST_PER_PART = 10  # promoters (detractors) fewer than these, or all but these, say nothing of what makes them
LEAST_RATINGS = 10  # at good and at poor ratings, for points at stake
MOST_LEVELS = 64  # of a rating: tables of trees have a cell for each
LEAST_OF_GROUP = 50  # answers, for a model of its own
ANSWERS_PER_GROUP = 100  # to compare groups by: a model's least
CLUSTERS_PER_GROUP = 30  # the same: the test of equality rests on the smallest group's clusters
LEAST_RESAMPLES = 20  # for a standard error
SURE = 0.8  # share of resamples from which a class, or a place among the first, is said
