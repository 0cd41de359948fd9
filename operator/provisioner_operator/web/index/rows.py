"""Rows of the index: what lists show of a job, and the other kinds as they are stored. Frozen and slim."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.model.records import Job
from provisioner_operator.kube import wire

Body = Mapping[str, Any]
"""An object of the API as JSON, without `metadata.managedFields`."""


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as lists show it. The details of one job are read from the API server with the user's own token."""

    job: Job
    """Without its conditions; of an ended job also without the id, time and instance of its assignment."""
    template: str | None
    template_uid: str | None
    """UID of the template that imports a version with the job."""
    version: str | None
    """The template's version."""
    workspace_uid: str | None
    build_number: int | None
    owner_may_cancel: bool
    stage: str | None
    retry_of: str | None
    """Name of the job of which this is a retry."""

    @property
    def is_ended(self) -> bool:
        """Whether the job has reached a final phase."""
        return self.job.phase in TERMINAL


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """A daemon, pool, workspace, template or namespace as it is stored."""

    namespace: str
    """The object's namespace; empty for a namespace itself."""
    name: str
    uid: str
    resource_version: int
    created: float
    data: bytes = field(repr=False)
    """The object as JSON: a parsed one is several times as large."""

    fingerprint: int = field(default=0, repr=False)
    """Hash of all that users see of the object: without its version and the time of its heartbeat."""

    @property
    def body(self) -> Body:
        """The object, parsed anew at each call."""
        body: Body = wire.decode(self.data)
        return body
