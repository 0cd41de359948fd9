"""`daemons drain`: cordon daemons and wait until their jobs have ended; with --force, kill the runs first."""

import time
from collections.abc import Iterable, Sequence

from provisioner_operator.cli.api.changes import change
from provisioner_operator.cli.api.watch_feed import PATIENCE_SECONDS
from provisioner_operator.cli.daemons.cordon import set_cordoned
from provisioner_operator.cli.errors import (
    CliError,
    Exit,
    NothingToDoError,
    ServerAwayError,
    TimedOutError,
    combined,
)
from provisioner_operator.cli.output.outcomes import for_each
from provisioner_operator.cli.output.times import duration
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view import loading
from provisioner_operator.core.jobs.requests import kill_patch
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.model.metadata import Metadata
from provisioner_operator.kube import paths, selectors
from provisioner_operator.kube.object_states import Body, daemon_report, job_state, meta_of

_POLL_SECONDS = 1.0
_FORCED = "its daemon is being drained by force"


def drain_daemons(
    session: Session, names: Iterable[str], *, force: bool, timeout: float | None, reason: str | None
) -> Exit:
    """Drain these daemons, all at the same time."""
    codes = for_each(session.terminal, names, lambda name: set_cordoned(session, name, cordoned=True))
    draining = [name for name, code in codes.items() if code is Exit.OK]
    if force:
        for name in draining:
            _kill_runs(session, name, reason or _FORCED)
    deadline = float("inf") if timeout is None else time.monotonic() + timeout
    progress = _Progress(session, draining)
    while not progress.check():
        if time.monotonic() >= deadline:
            left = ", ".join(progress.left)
            session.terminal.note(f"Not drained within {duration(timeout or 0)}: {left}. They stay cordoned.")
            codes |= dict.fromkeys(progress.left, TimedOutError.code)
            break
        time.sleep(_POLL_SECONDS)
    return combined(codes.values())


class _Progress:
    """The jobs that each daemon still has, reported when they change."""

    def __init__(self, session: Session, names: Iterable[str]) -> None:
        self._session = session
        self._reported = dict.fromkeys(names, "")
        self._away_since: float | None = None

    @property
    def left(self) -> list[str]:
        """The daemons that still have jobs."""
        return sorted(self._reported)

    def check(self) -> bool:
        """Return whether all daemons are drained. Raises ServerAwayError when the API server stays unreachable."""
        try:
            for name in self.left:
                self._check_one(name)
            self._away_since = None
        except ServerAwayError as error:
            now = time.monotonic()
            if self._away_since is None:
                self._session.terminal.note(f"{error} Trying again.")
                self._away_since = now
            if now - self._away_since >= PATIENCE_SECONDS:
                raise
        return not self._reported

    def _check_one(self, name: str) -> None:
        jobs = _jobs_of(self._session, name)
        if not jobs:
            self._session.terminal.say(f"{name}: drained")
            del self._reported[name]
            return
        status = f"{name}: waits for {_counted(jobs)}"
        if status != self._reported[name]:
            self._session.terminal.note(status, "dim")
            self._reported[name] = status


def _counted(jobs: Sequence[str]) -> str:
    return f"job {jobs[0]}" if len(jobs) == 1 else f"{len(jobs)} jobs: {', '.join(jobs)}"


def _assigned(session: Session, name: str) -> list[Body]:
    selector = selectors.unfinished_jobs_of(name)
    return list(loading.bodies(session.cluster, paths.jobs(session.namespace), {"fieldSelector": selector}))


def _jobs_of(session: Session, name: str) -> list[str]:
    """Return the unfinished jobs that are assigned to the daemon, the runs that it reports, and those whose states only it has."""
    assigned = {meta_of(body).name for body in _assigned(session, name)}
    daemon = daemon_report(session.cluster.get(paths.daemon(session.namespace, name)))
    unsaved = {f"{job} (its state is not saved yet)" for job in daemon.unsaved_states}
    return sorted(assigned | set(daemon.current_jobs) | unsaved)


def _kill_runs(session: Session, name: str, reason: str) -> None:
    for body in _assigned(session, name):
        meta = meta_of(body)
        try:
            _kill(session, name, meta, reason)
            session.terminal.note(f"{name}: job {meta.name} is being killed", "red")
        except NothingToDoError:
            pass  # it ended, or was assigned elsewhere, after it was listed
        except CliError as error:
            session.terminal.note(f"{name}: job {meta.name} was not canceled: {error}")


def _kill(session: Session, daemon: str, job: Metadata, reason: str) -> None:
    path = paths.job(session.namespace, job.name)

    def decide(body: Body) -> JsonPatch:
        return kill_patch(job_state(body), job.uid, daemon, reason)

    change(session.cluster, path, decide, role="provisioner-admin")
