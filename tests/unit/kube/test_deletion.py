"""An object that is being deleted is read as such, whatever its kind."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from provisioner_operator.kube.parsing import parse_daemon, parse_job
from provisioner_operator.kube.pool_parsing import parse_pool
from provisioner_operator.kube.workspace_parsing import parse_template, parse_workspace
from support.builders.manifests import (
    a_daemon_manifest,
    a_job_manifest,
    a_pool_manifest,
    a_template_manifest,
    a_workspace_manifest,
)
from support.builders.stored import stored


@pytest.mark.parametrize(
    ("parse", "manifest"),
    [
        (parse_job, a_job_manifest),
        (parse_daemon, a_daemon_manifest),
        (parse_pool, a_pool_manifest),
        (parse_template, a_template_manifest),
        (parse_workspace, a_workspace_manifest),
    ],
)
def test_what_is_being_deleted_says_so(
    parse: Callable[[Mapping[str, Any]], Any], manifest: Callable[[], dict[str, Any]]
) -> None:
    body = stored(manifest())
    assert not parse(body).deleting
    body["metadata"]["deletionTimestamp"] = "2027-01-15T08:00:00Z"
    assert parse(body).deleting
