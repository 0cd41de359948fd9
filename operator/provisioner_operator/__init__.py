"""Provisioner jobs native to Kubernetes: a Kopf operator and the daemon that runs its jobs."""

__version__ = "0.1.0"
