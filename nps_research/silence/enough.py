"""What is too few to say what silence tells."""

LEAVERS_TO_TELL = 5  # or stayers, among the silent and all who answered, fewer of which tell nothing
LEAVERS_TO_LEARN = 20  # and units that stayed, to learn from before a wave, and over all waves tested
ROWS_OF_CATEGORY = 20  # in training; rarer categories, and those not seen in training, are one
MOST_CATEGORIES = 20  # of a column: a model learns no more
CURVED_FROM = 12  # different values, from which a number gets a curve: two for each of its knots
MOST_ROWS = 60_000  # learnt from; of more, every so many-th: more change no figure shown
