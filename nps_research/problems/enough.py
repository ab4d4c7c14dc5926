"""What is too few to say of problems."""

LEAST_WITH = 10  # people with a problem, for the points that go with it, its priority, its change
LEAST_TOGETHER = 20  # people with both of two problems, for a look at whether both together are more than their sum
SMALL_PART = 0.05  # of the customer base: where fewer answered, that they are a part of it is left out of account
LEAST_WAVES = 2  # before a fix, since the one in which a problem was at its highest is left out
LEAST_CONTROLS = 5  # untouched problems, to see how problems drift that nobody mends
