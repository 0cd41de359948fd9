"""`jobs logs`: print the log of a run, live from the daemon's Pod while it runs, else from the archive."""

import sys
from collections.abc import Iterable
from contextlib import suppress

from provisioner_operator.api.v1alpha1.job import ProvisionerJob
from provisioner_operator.cli.jobs.await_start import await_start
from provisioner_operator.cli.jobs.log_archive import (
    await_archive,
    describe_archive,
    follow_archive,
    no_archive,
    read_archive,
)
from provisioner_operator.cli.jobs.log_lines import LogOptions, formatted, is_wanted, select
from provisioner_operator.cli.jobs.pod_log import NotLiveError, follow_pod_log, pod_of, read_pod_log
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view import loading
from provisioner_operator.core.jobs.lifecycle import STARTED
from provisioner_operator.core.views.log_lines import Line, parse_archived


def print_log(session: Session, name: str, options: LogOptions) -> None:
    """Print the log. Raises PreconditionError if there is none yet."""
    _, model = loading.read_job(session.cluster, session.namespace, name)
    if options.follow:
        model = await_start(session, model)
    if model.status.phase in STARTED:
        try:
            lines, until = read_pod_log(session, model)
        except NotLiveError as error:
            session.terminal.note(f"{error} The archived part follows.")
        else:
            _print_live(session, model, lines, until, options)
            return
    _print_archived(session, model, options)


def current_log(session: Session, name: str, options: LogOptions) -> tuple[str, list[Line]]:
    """Return the source of the log, and its present lines. Raises PreconditionError if there is none yet."""
    _, model = loading.read_job(session.cluster, session.namespace, name)
    now = session.cluster.now()
    if model.status.phase in STARTED:
        with suppress(NotLiveError):
            lines, _ = read_pod_log(session, model)
            return f"live from Pod {pod_of(model)}", select(lines, options, now)
    text = read_archive(session, model)
    if text is None:
        raise no_archive(model)
    return "from the archive", select(parse_archived(text), options, now)


def _print_live(session: Session, model: ProvisionerJob, lines: list[Line], until: str, options: LogOptions) -> None:
    session.terminal.note(f"Live from Pod {pod_of(model)}:", "dim")
    _write(select(lines, options, session.cluster.now()), options)
    if options.follow:
        ended = follow_pod_log(session, model, until, lambda line: _write_wanted(session, [line], options))
        _report_end(session, ended)


def _print_archived(session: Session, model: ProvisionerJob, options: LogOptions) -> None:
    if options.follow:
        model, text = await_archive(session, model)
    else:
        text = read_archive(session, model)
    if text is None:
        raise no_archive(model)
    session.terminal.note(describe_archive(model, text), "dim")
    _write(select(parse_archived(text), options, session.cluster.now()), options)
    if options.follow:
        ended = follow_archive(session, model, text, lambda lines: _write_wanted(session, lines, options))
        _report_end(session, ended)


def _write_wanted(session: Session, lines: Iterable[Line], options: LogOptions) -> None:
    now = session.cluster.now()
    _write((line for line in lines if is_wanted(line, options, now)), options)


def _write(lines: Iterable[Line], options: LogOptions) -> None:
    for line in lines:
        sys.stdout.write(f"{formatted(line, timestamps=options.timestamps)}\n")
    sys.stdout.flush()


def _report_end(session: Session, model: ProvisionerJob) -> None:
    status = model.status
    session.terminal.note(f"{model.metadata.name}: {status.phase}. {status.message or ''}".rstrip(), "dim")
