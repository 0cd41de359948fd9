"""Parsing of templates: what the status records comes back as it was written."""

from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import ParameterType
from provisioner_operator.core.workspaces.records import Parameter, TemplateStatus
from provisioner_operator.core.workspaces.status import template_status_patch
from provisioner_operator.kube.workspace_parsing import parse_template
from support.builders.manifests import a_template_manifest
from support.builders.workspaces import a_template, a_version


@pytest.mark.parametrize(
    "parameter",
    [
        Parameter("size"),
        Parameter("size", ParameterType.NUMBER, default="", mutable=True, minimum=0, maximum=8),
        Parameter("size", default="a", options=("a", "b"), regex="^[a-z]$", error="one letter"),
    ],
    ids=str,
)
def test_a_version_keeps_its_parameters(parameter: Parameter) -> None:
    status = TemplateStatus(versions=(a_version(parameters=(parameter,)),))
    written: Any = template_status_patch(a_template(), status).sets[0][1]
    meta = {"namespace": "acme", "uid": "uid", "resourceVersion": "1", "generation": 1}
    stored = meta | {"creationTimestamp": "2027-01-15T08:00:00Z"}
    manifest = a_template_manifest()

    read = parse_template(manifest | {"metadata": manifest["metadata"] | stored, "status": written})

    assert read.status.versions == status.versions
