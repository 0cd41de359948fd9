"""The page: HTML that works without script, and a module of our own that keeps it live.

View models are pure functions from the index's rows to what a template shows; routes read the index and the caller, and
templates decide nothing.
"""
