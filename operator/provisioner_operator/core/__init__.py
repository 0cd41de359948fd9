"""The decisions of the product as pure functions over plain values and a given `now`: no I/O, no clock, no Kopf.

`reconcilers` keep what the API server reported and find what needs a decision; each rule is in the module that bears
its name, in the package of its subject.
"""
