"""What is too few, or too many to tell apart, in answering."""

MISSES_TOLD_APART = 3  # earlier misses; so many or more are one group
LEAVERS_TOLD_APART = 5  # who left, and who stayed, in a group that the model of a panel tells apart: panels are small
