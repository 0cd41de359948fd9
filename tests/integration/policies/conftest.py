"""Jobs to cancel, and every way to write a cancel."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from support.builders.manifests import a_job_manifest
from support.cluster.kubectl import Answer, Kubectl, patch_arguments
from support.manifests import Manifest

Write = Callable[[Kubectl, Manifest, Manifest], Answer]
"""Writes changes (of the spec) of a stored job as a user."""


def _merge_patch(user: Kubectl, job: Manifest, spec: Manifest) -> Answer:
    return user.attempt("patch", "pj", job["metadata"]["name"], *patch_arguments({"spec": spec}))


def _json_patch(user: Kubectl, job: Manifest, spec: Manifest) -> Answer:
    patch = [{"op": "add", "path": f"/spec/{field}", "value": value} for field, value in spec.items()]
    return user.attempt("patch", "pj", job["metadata"]["name"], *patch_arguments(patch))


def _put(user: Kubectl, job: Manifest, spec: Manifest) -> Answer:
    return user.attempt("replace", "-f", "-", given=_changed(job, spec))


def _server_side_apply(user: Kubectl, job: Manifest, spec: Manifest) -> Answer:
    applied = _changed(job, spec)
    applied["metadata"].pop("managedFields", None)
    del applied["metadata"]["resourceVersion"]
    return user.attempt("apply", "--server-side", "--force-conflicts", "-f", "-", given=applied)


def _client_side_apply(user: Kubectl, job: Manifest, spec: Manifest) -> Answer:
    return user.attempt("apply", "-f", "-", given=_changed(job, spec))


def _changed(job: Manifest, spec: Manifest) -> Manifest:
    copy: Manifest = json.loads(json.dumps(job))
    copy["spec"] |= spec
    return copy


@pytest.fixture(params=[_merge_patch, _json_patch, _put, _server_side_apply, _client_side_apply])
def write(request: pytest.FixtureRequest) -> Write:
    """Each way to change a job."""
    way: Write = request.param
    return way


@pytest.fixture
def make_job(submitter: Kubectl) -> Callable[..., Manifest]:
    """Call it with a name and fields of the spec for a job that the submitter created."""

    def make(name: str = "job", **spec: Any) -> Manifest:
        submitter.create(a_job_manifest(name, **spec))
        return submitter.json("get", "pj", name, "--show-managed-fields")

    return make
