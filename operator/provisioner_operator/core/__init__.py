"""The decisions of the product as pure functions over plain values and a given `now`: no I/O, no clock, no Kopf.

`mirror.Mirror` holds what the API server said and finds what needs a decision; the rules themselves stand in the
module that bears their name: matching, ordering, lifecycle, timeouts, assignment, explanation.
"""
