"""Keep the plan of a job in Secrets until it is approved, and read it again to apply exactly this plan.

In Secrets, since a plan holds values that may be secret: in chunks, immutable, and owned by the job, with which they go. The
digest names the plan together with the lock file of its providers, without which Terraform would not apply it. Used by
`provisioner`.
"""

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.api.v1alpha1.job import PlanReference
from provisioner_operator.api.v1alpha1.names import API_VERSION, JOB_LABEL, KEPT_PLAN_TYPE, kept_plan_name
from provisioner_operator.core.model.records import Job
from provisioner_operator.daemon.execution.provisioner import Failure, StageEnd, UnpreparedError
from provisioner_operator.daemon.inputs.objects import ATTEMPTS, SECONDS
from provisioner_operator.daemon.retrying import until_answered
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import ConflictError, KubeError, NotFoundError

PLAN_FILE = "provisioner.tfplan"
LOCK_FILE = ".terraform.lock.hcl"
CHUNK_BYTES = 512 * 1024
"""A Secret holds 1 MiB, and etcd's requests 1.5 MiB, in base64 if Secrets are encrypted at rest by a plugin."""
MOST_CHUNKS = 64
_LENGTH_BYTES = 8


class Client(Protocol):
    """The part of the API server's client that kept plans need."""

    async def get(self, path: str, /) -> dict[str, Any]:
        """Read one object."""

    async def create(self, path: str, body: Mapping[str, Any], /) -> dict[str, Any]:
        """Create an object."""


@dataclass(frozen=True, slots=True)
class KeptPlan:
    """A plan and the lock file of its providers, which is empty if it needs none."""

    plan: bytes
    lock_file: bytes

    @classmethod
    def made_in(cls, module: Path) -> "KeptPlan":
        """Read what `init` and `plan` have left in this folder."""
        lock = module / LOCK_FILE
        return cls((module / PLAN_FILE).read_bytes(), lock.read_bytes() if lock.is_file() else b"")

    def packed(self) -> bytes:
        """Return both as one text of bytes, of which the digest is made."""
        return len(self.lock_file).to_bytes(_LENGTH_BYTES) + self.lock_file + self.plan

    @classmethod
    def unpacked(cls, content: bytes) -> "KeptPlan":
        """Return the plan that was packed like this."""
        end = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES])
        return cls(content[end:], content[_LENGTH_BYTES:end])

    def write(self, module: Path) -> None:
        """Write both into this folder, over whatever the source has under these names."""
        for name, content in ((PLAN_FILE, self.plan), (LOCK_FILE, self.lock_file)):
            path = module / name
            path.unlink(missing_ok=True)
            if content:
                path.touch(mode=0o600)
                path.write_bytes(content)


@dataclass(slots=True)
class PlanKeeper:
    """Keeps the plan of one job."""

    client: Client
    job: Job
    module: Path
    digest: str | None = None
    """Digest of the plan, once all of it is kept."""

    async def keep(self) -> StageEnd:
        """Store the plan that the run has made."""
        try:
            content = await asyncio.to_thread(lambda: KeptPlan.made_in(self.module).packed())
            digest = hashlib.sha256(content).hexdigest()
            chunks = [content[at : at + CHUNK_BYTES] for at in range(0, len(content), CHUNK_BYTES)]
            if len(chunks) > MOST_CHUNKS:
                return _failed(f"it has {len(content)} bytes, and at most {MOST_CHUNKS * CHUNK_BYTES} are kept")
            for number, chunk in enumerate(chunks):
                await self._create(number, chunk, {"digest": digest.encode(), "chunks": str(len(chunks)).encode()})
        except (KubeError, OSError) as error:
            return _failed(str(error))
        self.digest = digest
        return StageEnd((f"The plan is kept for its approval: {digest}",))

    async def _create(self, number: int, chunk: bytes, head: Mapping[str, bytes]) -> None:
        path, body = paths.secrets(self.job.namespace), _chunk(self.job, number, chunk, head)
        try:
            await until_answered(lambda: self.client.create(path, body), attempts=ATTEMPTS, seconds=SECONDS)
        except ConflictError:
            # By a request whose answer was lost; a job runs once.
            found = await self.client.get(paths.secret(self.job.namespace, kept_plan_name(self.job.name, number)))
            if found.get("data") != body["data"] or not _belongs_to(found, self.job):
                raise


async def read_kept_plan(client: Client, job: Job, reference: PlanReference) -> KeptPlan:
    """Return the plan that the reference names, if it is one of the job's workspace. Raises UnpreparedError."""
    try:
        first = await _read_chunk(client, job, reference.job, 0)
        others = [
            await _read_chunk(client, job, reference.job, number)
            for number in range(1, min(int(_value(first, "chunks")), MOST_CHUNKS))
        ]
        content = b"".join(_value(each, "plan") for each in (first, *others))
        workspace = _value(first, "workspace").decode()
    except (KubeError, LookupError, ValueError, binascii.Error) as error:
        detail = "its Secrets do not exist any more" if isinstance(error, NotFoundError) else str(error)
        raise _unavailable(f"The approved plan of job {reference.job} could not be read: {detail}.") from error
    if hashlib.sha256(content).hexdigest() != reference.digest:
        raise _unavailable(f"The plan of job {reference.job} is not the one that was approved: its digest differs.")
    if workspace != job.workspace:
        raise _unavailable(f"The plan of job {reference.job} is one of workspace {workspace}, not {job.workspace}.")
    return KeptPlan.unpacked(content)


async def _read_chunk(client: Client, job: Job, planned_by: str, number: int) -> dict[str, Any]:
    path = paths.secret(job.namespace, kept_plan_name(planned_by, number))
    return await until_answered(lambda: client.get(path), attempts=ATTEMPTS, seconds=SECONDS)


def _chunk(job: Job, number: int, chunk: bytes, head: Mapping[str, bytes]) -> dict[str, Any]:
    data = {"plan": chunk, "workspace": (job.workspace or "").encode(), **head}
    owner = {"apiVersion": API_VERSION, "kind": "ProvisionerJob", "name": job.name, "uid": job.uid, "controller": True}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": kept_plan_name(job.name, number),
            "namespace": job.namespace,
            "labels": {JOB_LABEL: job.name},
            "ownerReferences": [owner],
        },
        "type": KEPT_PLAN_TYPE,
        "immutable": True,
        "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
    }


def _belongs_to(found: Mapping[str, Any], job: Job) -> bool:
    return any(owner["uid"] == job.uid for owner in found["metadata"].get("ownerReferences") or ())


def _value(secret: Mapping[str, Any], key: str) -> bytes:
    return base64.b64decode(secret["data"][key])


def _failed(why: str) -> StageEnd:
    message = f"The plan could not be kept for its approval: {why}. Remove the cause, then plan again."
    return StageEnd(failure=Failure(EndReason.RUN_FAILED, message))


def _unavailable(message: str) -> UnpreparedError:
    return UnpreparedError(EndReason.PLAN_UNAVAILABLE, f"{message} Nothing was changed.")
