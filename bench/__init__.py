"""Measures the product against the API server alone and against the Job controller of Kubernetes, side by side in one run.

`make bench` runs all of it (`python -m bench --help`). Each file of `scenarios/` is one question, `bars` says what the
answers must be. Everything that counts is a ratio or a count of one run, in rounds that alternate between the subjects:
the machines that this runs on are shared. Nothing in here is a test, and no test measures time.
"""
