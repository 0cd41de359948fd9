"""Dashboards of Grafana."""
