"""What is too few for a model, whatever room it stands in."""

TOLD_APART = 8  # with the event, and without, in a group that a model tells apart: fewer say nothing by themselves
TOLD_OF_LEVEL = 10  # the same for a category's level, or a gap, with a term of its own
PER_COLUMN = 5  # of the rarer outcome for each column of a model: with fewer it fits chance
FEWEST_DIFFERENT = 11  # values of a number that may bend: a curve through fewer is a line a value
FOUND_WITH = 0.8  # the chance to find a difference that matters, on which numbers needed and falls to be seen go
