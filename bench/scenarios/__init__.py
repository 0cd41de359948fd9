"""One question each: what is done to the subjects, and what is noted of it."""
