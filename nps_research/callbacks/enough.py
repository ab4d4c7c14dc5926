"""What is too few to say of calls, and what is taken where a study says nothing."""

GRACE_DAYS = 14  # after the answer: who is assigned a call by then counts as called
WORTH_A_CALL = 0.5  # score points, 0 to 10, by which a call must move the next answer to matter
WORTH_KEEPING = 0.05  # share of customers that calls must keep to matter
PROMISED_HOURS = 72
