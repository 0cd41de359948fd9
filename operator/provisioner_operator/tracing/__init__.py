"""Traces by OTLP: the sender of spans, for the controller and the daemon."""
