"""Alerts, dashboards and metrics of objects, written in Python and generated for Prometheus, Grafana and kube-state-metrics (`make monitoring`)."""
