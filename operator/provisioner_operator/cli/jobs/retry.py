"""`jobs retry`: submit the spec of an ended job again, as a new job; or ask its workspace or template for a new one.

A job that the operator created belongs to its workspace or template, whose status follows only from its own jobs. A copy
by hand would change the resources without them.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from provisioner_operator.api.v1alpha1.job import MAX_JOB_NAME
from provisioner_operator.api.v1alpha1.names import GROUP
from provisioner_operator.cli.api.objects import job_state, meta_of
from provisioner_operator.cli.errors import AlreadyExistsError, PreconditionError, require
from provisioner_operator.cli.jobs.retry_by_owner import owner_of, retry_by_owner
from provisioner_operator.cli.output import formats
from provisioner_operator.cli.session import Session
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.kube import paths

RETRY_OF = f"{GROUP}/retry-of"
"""Annotation of a job: the name of the job that it repeats."""
_OF_THE_OLD_JOB = frozenset({"cancel", "cancelReason", "cancelMode", "canceledBy", "suspend", "initiator"})
"""Fields of the spec that record requests to the old job, and its submitter."""
_RETRY = re.compile(r"-retry-(\d+)$")
_MOST_ATTEMPTS = 100


def retry_job(session: Session, name: str, new_name: str | None, *, dry_run: bool, form: str | None) -> None:
    """Submit the job again. Raises PreconditionError if it has not ended."""
    if form is not None:
        formats.checked(form)
    body = session.cluster.get(paths.job(session.namespace, name))
    phase = job_state(body).phase
    if phase not in TERMINAL:
        raise PreconditionError(f"The job {name!r} has not ended: it is {phase}. Cancel it, or wait for its end.")
    if (owner := owner_of(body)) is not None:
        require(
            new_name is None and form is None,
            f"The job {name!r} is retried by its {owner.kind}, which names the new job: leave out --name and -o.",
        )
        session.terminal.say(f"{name}: {retry_by_owner(session.cluster, session.namespace, owner, dry_run=dry_run)}")
        return
    for candidate in [new_name] if new_name else names_after(name):
        try:
            created = session.cluster.create(paths.jobs(session.namespace), repeated(body, candidate), dry_run=dry_run)
        except AlreadyExistsError:
            if new_name:
                raise
            continue
        if form is not None:
            formats.write_one(sys.stdout, form, created)
        else:
            session.terminal.say(f"{meta_of(created).name}: submitted{' (dry run)' if dry_run else ''}")
        return
    raise PreconditionError(f"The job {name!r} has {_MOST_ATTEMPTS} retries: choose the new job's name with --name.")


def repeated(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the manifest of a new job with the spec of the old one."""
    meta = meta_of(body)
    spec = {key: value for key, value in body["spec"].items() if key not in _OF_THE_OLD_JOB}
    new_meta: dict[str, Any] = {"name": name, "annotations": {RETRY_OF: meta.name}}
    if meta.labels:
        new_meta["labels"] = meta.labels
    return {"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": new_meta, "spec": spec}


def names_after(name: str) -> Iterator[str]:
    """Yield names for retries of this job: `dev-7-retry-1`, or after that one `dev-7-retry-2`, and so on."""
    found = _RETRY.search(name)
    first = int(found[1]) + 1 if found else 1
    stem = name[: found.start()] if found else name
    for number in range(first, first + _MOST_ATTEMPTS):
        ending = f"-retry-{number}"
        yield stem[: MAX_JOB_NAME - len(ending)].rstrip("-.") + ending
