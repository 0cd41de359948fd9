"""Assign waiting jobs to daemons and explain why the others wait."""
