"""The product shown at work on this machine, from nothing: `make demo`, or `make up` and `make down` to explore by hand.

Run from the repository's root as `python -m demo`. Uses the development cluster and starts the product's programs as
processes; imports nothing of the product and nothing of its tests.
"""
