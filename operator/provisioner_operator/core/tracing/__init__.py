"""Traces: the spans of a job that has ended, computed from what its object records."""
