"""Charts as coordinates, which the page's template writes as SVG. Know neither Prometheus nor Grafana."""
