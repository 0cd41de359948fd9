"""Builds of deletions that needed no job, such as those of `coder delete --orphan`. Pure.

Coder's client asks for the build once the workspace is gone, when nothing in the cluster tells of it any more. So the build's
id says all that there is to know, for any replica: that a deletion without a job was complete at that time.
"""

import hashlib
from datetime import datetime
from uuid import UUID

from provisioner_operator.api.v1alpha1.names import GROUP
from provisioner_operator.web.coder.convert import ids
from provisioner_operator.web.coder.models.base import NIL, time_of
from provisioner_operator.web.coder.models.jobs import ProvisionerJob, ProvisionerJobInput, ProvisionerJobMetadata
from provisioner_operator.web.coder.models.workspaces import WorkspaceBuild
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.rows import ObjectRow

_MILLISECONDS = 1000
_TIME_BITS, _MARK_BITS = 48, 80
_VERSION_AND_VARIANT = 0x8000_8000_0000_0000_0000
"""Version 8 of RFC 9562, for ids of one's own making."""
_FIXED = 0xF000_C000_0000_0000_0000
_MARK = (
    int.from_bytes(hashlib.sha256(f"{GROUP}/orphaned".encode()).digest()[: _MARK_BITS // 8]) & ~_FIXED
) | _VERSION_AND_VARIANT


def orphan_id(at: float) -> UUID:
    """Return the id of a deletion that was complete at that time."""
    return UUID(int=int(at * _MILLISECONDS) << _MARK_BITS | _MARK)


def orphaned_at(build: UUID) -> float | None:
    """Return the time that an id tells of; None if it is that of another build."""
    return (build.int >> _MARK_BITS) / _MILLISECONDS if build.int & ((1 << _MARK_BITS) - 1) == _MARK else None


def orphaned_build(at: float, row: ObjectRow | None = None, index: ClusterIndex | None = None) -> WorkspaceBuild:
    """Return the build of such a deletion; without the workspace, as it is after a while, without names."""
    identity, moment = orphan_id(at), time_of(orphaned_at(orphan_id(at)) or at)
    organization = NIL if row is None or index is None else ids.uuid_of(index.namespace_uid(row.namespace))
    return WorkspaceBuild(
        id=identity,
        created_at=moment,
        updated_at=moment,
        workspace_id=NIL if row is None else UUID(row.uid),
        workspace_name="" if row is None else row.name,
        workspace_owner_id=NIL,
        workspace_owner_name="",
        template_version_id=NIL,
        template_version_name="",
        build_number=0,
        transition="delete",
        initiator_id=NIL,
        initiator_name="",
        job=_job(identity, moment, organization),
        reason="initiator",
        resources=[],
        deadline=None,
        max_deadline=None,
        status="deleted",
        daily_cost=0,
        template_version_preset_id=None,
    )


def _job(identity: UUID, moment: datetime, organization: UUID) -> ProvisionerJob:
    """Return the job that the build did not need: it succeeded at once."""
    return ProvisionerJob(
        id=identity,
        created_at=moment,
        started_at=moment,
        completed_at=moment,
        status="succeeded",
        file_id=NIL,
        tags={},
        queue_position=0,
        queue_size=0,
        organization_id=organization,
        initiator_id=NIL,
        input=ProvisionerJobInput(workspace_build_id=identity),
        type="workspace_build",
        metadata=ProvisionerJobMetadata(
            template_version_name="",
            template_id=NIL,
            template_name="",
            template_display_name="",
            template_icon="",
            workspace_build_transition="delete",
        ),
        logs_overflowed=False,
    )
