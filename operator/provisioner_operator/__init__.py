"""Provisioner jobs native to Kubernetes: a Kopf operator and the daemon that runs its jobs."""

from importlib.metadata import version

__version__ = version("provisioner-operator")
