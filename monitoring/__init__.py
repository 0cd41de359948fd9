"""Alerts and dashboards for the operator's metrics, written in Python and generated for Prometheus and Grafana (`make monitoring`)."""
