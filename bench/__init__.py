"""Benchmark of the product against the API server alone and the Job controller of Kubernetes, side by side in one run.

`make bench` runs all scenarios (`python -m bench --help`). Each file of `scenarios/` answers one question; `bars` has the
required results. Because machines are shared, each required result is a count, or a ratio from rounds that alternate
between the subjects. The benchmark is not a test, and no test measures time.
"""
