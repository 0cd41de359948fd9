"""Metrics of the web server, for Prometheus."""
