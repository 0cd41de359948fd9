"""The decisions of the product as pure functions over plain values and a given `now`: no I/O, no clock, no Kopf.

`reconcilers` hold what the API server reported and find what needs a decision; each rule stands in the module that
bears its name, in the package of its subject.
"""
