"""Prometheus beside a control plane, and a page of Grafana's dashboards for machines without Grafana.

Called by the demo and by tests. Knows Prometheus, ServiceMonitors and Grafana's JSON, and neither the product nor Kubernetes.
"""
