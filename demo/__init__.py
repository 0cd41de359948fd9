"""Demonstration of the product on this machine: `make demo`, or `make up` and `make down` to explore by hand.

Run from the repository's root as `python -m demo`. Uses the development cluster and starts the product's programs as
processes; imports neither the product nor its tests.
"""
