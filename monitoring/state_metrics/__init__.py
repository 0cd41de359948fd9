"""Metrics of single objects, by kube-state-metrics' CustomResourceStateMetrics."""
