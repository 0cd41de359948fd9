"""Read the log of a run from its archive: a ConfigMap that the daemon updates at growing intervals, and at the end."""

import time
from collections.abc import Callable, Iterable

from provisioner_operator.api.v1alpha1.job import ProvisionerJob
from provisioner_operator.api.v1alpha1.names import log_archive_name
from provisioner_operator.cli.api.request_errors import precondition_error
from provisioner_operator.cli.errors import NotFoundError, PreconditionError
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view import loading
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.views.log_lines import ARCHIVE_KEY, Line, appended, is_archive_of, missing_archive
from provisioner_operator.kube import paths
from provisioner_operator.kube.object_states import meta_of

_POLL_SECONDS = 2.0
"""A daemon updates an archive every ten seconds at most."""


def read_archive(session: Session, model: ProvisionerJob) -> str | None:
    """Return the archived text of this very job, not of an earlier one of its name; None if there is none."""
    try:
        found = session.cluster.get(paths.config_map(session.namespace, log_archive_name(model.metadata.name)))
    except NotFoundError:
        return None
    if not is_archive_of(meta_of(found), model.metadata.name, model.metadata.uid):
        return None
    return (found.get("data") or {}).get(ARCHIVE_KEY) or ""


def await_archive(session: Session, model: ProvisionerJob) -> tuple[ProvisionerJob, str | None]:
    """Wait for the first archive of an unfinished job; returns the job, and the text or None if it ended without one."""
    text = read_archive(session, model)
    while text is None and model.status.phase not in TERMINAL:
        time.sleep(_POLL_SECONDS)
        _, model = loading.read_job(session.cluster, session.namespace, model.metadata.name)
        text = read_archive(session, model)
    return model, text


def follow_archive(
    session: Session, model: ProvisionerJob, shown: str, write: Callable[[Iterable[Line]], None]
) -> ProvisionerJob:
    """Write the lines that are added to the archive until the job has ended; returns the ended job."""
    while model.status.phase not in TERMINAL:
        time.sleep(_POLL_SECONDS)
        # The job first: what was archived before its end is then read in the same pass.
        _, model = loading.read_job(session.cluster, session.namespace, model.metadata.name)
        text = read_archive(session, model) or shown
        if text != shown:
            write(appended(shown, text))
            shown = text
    return model


def no_archive(model: ProvisionerJob) -> PreconditionError:
    """Return the error for a job without an archive."""
    status = model.status
    name, is_ended = model.metadata.name, status.phase in TERMINAL
    return precondition_error(
        missing_archive(name, status.phase, started=status.started_at is not None, ended=is_ended)
    )


def describe_archive(model: ProvisionerJob, text: str) -> str:
    """Return the source of the log in words, with what is missing from it."""
    config_map = log_archive_name(model.metadata.name)
    log = model.status.log
    if log is not None and log.truncated:
        missing = f", {len(text.encode())} of {log.bytes} bytes: its middle was left out, where a line says so"
    elif model.status.phase in TERMINAL:
        missing = ""
    else:
        missing = ", which is updated every 10 s at first, then less often"
    return f"From the archive, ConfigMap {config_map}{missing}:"
