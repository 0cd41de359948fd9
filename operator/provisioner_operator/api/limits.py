"""Bounds of the schema that a writer of status has to keep to."""

LONGEST_MESSAGE = 32_768
"""Characters, as long as a metav1.Condition's message may be."""
LONGEST_SUSPENSION_SECONDS = 3_153_600_000
"""A hundred years."""
