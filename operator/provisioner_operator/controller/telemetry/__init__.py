"""Expose metrics, Events, logs and probes."""
