"""Objects as the API server stores them: manifests with the metadata that it adds, and a status."""

from typing import Any

from provisioner_operator.api.v1alpha1.job import ProvisionerJob
from provisioner_operator.kube.parsing import parse_job_model
from support.builders.core import NAMESPACE
from support.builders.manifests import a_job_manifest
from support.manifests import Manifest

CREATED = "2027-01-15T08:00:00Z"
"""Noon of `support.builders.core`."""


def stored(manifest: Manifest, *, status: Manifest | None = None, **metadata: Any) -> Manifest:
    """The object, created at noon; keyword arguments are fields of its metadata."""
    name = manifest["metadata"]["name"]
    added = {"namespace": NAMESPACE, "uid": f"uid-of-{name}", "resourceVersion": "1", "creationTimestamp": CREATED}
    return {**manifest, "metadata": manifest["metadata"] | added | metadata, "status": status or {}}


def a_job_model(
    name: str = "job", *, status: Manifest | None = None, annotations: dict[str, str] | None = None, **spec: Any
) -> ProvisionerJob:
    """A job that is stored, parsed."""
    return parse_job_model(stored(a_job_manifest(name, **spec), status=status, annotations=annotations or {}))
