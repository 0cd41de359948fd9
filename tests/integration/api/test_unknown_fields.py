"""Fields that a definition does not have: the API server leaves them out, and a write of nothing else changes nothing.

`controller.writes.executor.with_effect` recognizes such a write by its answer.
"""

import pytest

from support.builders.manifests import a_job_manifest, a_pool_manifest, a_template_manifest, a_workspace_manifest
from support.cluster.kubectl import Kubectl
from support.manifests import Manifest


@pytest.mark.parametrize(
    ("kind", "manifest"),
    [
        ("pj", a_job_manifest("unknown")),
        ("pp", a_pool_manifest("unknown")),
        ("ws", a_workspace_manifest("unknown")),
        ("wst", a_template_manifest("unknown")),
    ],
)
def test_a_write_of_an_unknown_field_alone_leaves_the_version_as_it_is(
    kind: str, manifest: Manifest, admin: Kubectl
) -> None:
    admin.create(manifest)
    first = admin.api.patch(kind, "unknown", {"status": {"observedGeneration": 1}}, subresource="status")
    assert first.ok, first
    status = {**first.body["status"], "futureField": 1}

    answer = admin.api.patch(kind, "unknown", [{"op": "add", "path": "/status", "value": status}], subresource="status")

    assert answer.ok, answer
    assert answer.body["status"] == first.body["status"]
    assert answer.body["metadata"]["resourceVersion"] == first.body["metadata"]["resourceVersion"]
