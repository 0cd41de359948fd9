"""Any other controller, described by a file: its command, a job, and the signs of an accepted or canceled job.

`plug.example.yaml` is an example. The command runs beside the other subjects until the bench ends; `{kubeconfig}` in it
becomes an administrator's kubeconfig, `{namespace}` the namespace of its jobs.
"""

from __future__ import annotations

import shlex
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import jmespath
import yaml
from jmespath.exceptions import JMESPathError
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from bench.client import BenchError, Client
from bench.peers import process
from bench.stopwatch import Sign
from bench.subjects import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.cluster.kubectl import Kubectl

NAMESPACE = "plug"


class Plug(BaseModel):
    """Contents of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    """Name of the subject in the table."""
    command: str
    """Command line of the controller; run without a shell."""
    setup: list[dict[str, Any]] = []
    """Objects to apply before the command starts: definitions, roles, workers."""
    job: dict[str, Any]
    """A job; `{name}` is replaced by its name."""
    accepted: str
    """A JMESPath expression that is true of a job which the controller has accepted."""
    running: str | None = None
    """An expression that is true of a job whose run has begun, if the object shows it."""
    cancel: dict[str, Any]
    """A merge patch that cancels a job."""
    canceled: str
    """An expression that is true of a job which has been canceled."""

    @field_validator("accepted", "running", "canceled")
    @classmethod
    def _is_an_expression(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                jmespath.compile(value)
            except JMESPathError as error:
                raise ValueError(f"not a JMESPath expression: {error}") from None
        return value


def read(path: Path) -> Plug:
    """Read a plug file. Raises BenchError, whose message says what is wrong."""
    try:
        return Plug.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise BenchError(f"{path} does not describe a controller: {error}") from None


@contextmanager
def running(plug: Plug, admin: Kubectl) -> Iterator[int]:
    """Run the plug's controller and yield its pid."""
    for manifest in plug.setup:
        # Client-side apply would keep a copy in an annotation, too small for some definitions.
        admin.apply(manifest, "--server-side", "--force-conflicts")
    command = [part.format(kubeconfig=admin.kubeconfig, namespace=NAMESPACE) for part in shlex.split(plug.command)]
    with process.running(plug.name, command) as pid:
        yield pid


async def subject(plug: Plug, client: Client, pid: int) -> Subject:
    """Return the plug as a subject. Raises BenchError if the API server does not know the job's kind."""
    version, kind = plug.job["apiVersion"], plug.job["kind"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    known = await client.ask(root)
    plural = next(
        (each["name"] for each in known["resources"] if each["kind"] == kind and "/" not in each["name"]), None
    )
    if plural is None:
        raise BenchError(f"The API server knows no {kind} in {version}: apply its definition under `setup`.")
    collection = f"{root}/namespaces/{NAMESPACE}/{plural}"
    return Subject(
        name=plug.name,
        collection=collection,
        template=plug.job,
        accepted=Sign(collection, plug.accepted),
        running=None if plug.running is None else Sign(collection, plug.running),
        cancel=plug.cancel,
        canceled=Sign(collection, plug.canceled),
        pids={plug.name: pid},
    )
