"""`jobs retry`: the same again, as a new job."""

import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.api.v1alpha1.job import MAX_JOB_NAME
from provisioner_operator.api.v1alpha1.names import GROUP
from provisioner_operator.cli.errors import PreconditionError
from provisioner_operator.cli.output import formats
from provisioner_operator.cli.session import Session
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.kube import paths

RETRY_OF = f"{GROUP}/retry-of"
"""On a job: the name of the one that it repeats."""
_OF_THE_OLD_JOB = frozenset({"cancel", "cancelReason", "cancelMode", "canceledBy", "suspend", "initiator"})
"""Fields of a spec that say what was done to the old job, and who asked for it."""
_OF_ITS_BUILD = frozenset({"uid", "buildNumber", "change"})
"""Fields of a workspaceRef or templateRef that make a job the one build of a change."""
_RETRY = re.compile(r"-retry-(\d+)$")
_MOST_TRIES = 100


def retry_job(session: Session, name: str, new_name: str | None, *, dry_run: bool, form: str | None) -> None:
    """Submit the job again. Raises PreconditionError while it has not ended."""
    if form is not None:
        formats.checked(form)
    body = session.cluster.get(paths.job(session.namespace, name))
    phase = Phase((body.get("status") or {}).get("phase") or Phase.PENDING)
    if phase not in TERMINAL:
        raise PreconditionError(f"The job {name!r} has not ended: it is {phase}. Cancel it first, or wait.")
    for candidate in [new_name] if new_name else names_after(name):
        try:
            created = session.cluster.create(paths.jobs(session.namespace), repeated(body, candidate), dry_run=dry_run)
        except PreconditionError as error:
            if new_name or "already exists" not in str(error):
                raise
            continue
        if form is not None:
            formats.write_one(sys.stdout, form, created)
        else:
            session.terminal.say(f"{created['metadata']['name']}: submitted{' (dry run)' if dry_run else ''}")
        return
    raise PreconditionError(f"The job {name!r} was repeated {_MOST_TRIES} times: give the new one a name with --name.")


def repeated(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The manifest of a new job of that name with the spec of the old one."""
    spec = {key: value for key, value in body["spec"].items() if key not in _OF_THE_OLD_JOB}
    for reference in ("workspaceRef", "templateRef"):
        if reference in spec:
            spec[reference] = {key: value for key, value in spec[reference].items() if key not in _OF_ITS_BUILD}
    labels = body["metadata"].get("labels") or {}
    meta: dict[str, Any] = {"name": name, "annotations": {RETRY_OF: body["metadata"]["name"]}}
    if labels:
        meta["labels"] = labels
    return {"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": meta, "spec": spec}


def names_after(name: str) -> Iterator[str]:
    """Names for jobs that repeat this one: `dev-7-retry-1`, and of that `dev-7-retry-2`."""
    found = _RETRY.search(name)
    first = int(found[1]) + 1 if found else 1
    stem = name[: found.start()] if found else name
    for number in range(first, first + _MOST_TRIES):
        ending = f"-retry-{number}"
        yield stem[: MAX_JOB_NAME - len(ending)].rstrip("-.") + ending
