"""Parsing of what concerns the queue of a namespace beside its jobs and daemons."""
