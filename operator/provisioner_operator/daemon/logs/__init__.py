"""Collect, redact, archive and print the output of runs."""
