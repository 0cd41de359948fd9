"""Scenarios of the benchmark, one question each."""
