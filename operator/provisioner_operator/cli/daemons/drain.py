"""`daemons drain`: no new jobs, then wait until those that run have ended. Nothing is killed unless that is asked for."""

import time
from collections.abc import Iterable, Sequence

from provisioner_operator.api.v1alpha1.enums import CancelMode
from provisioner_operator.cli.api.watch_feed import PATIENCE_SECONDS
from provisioner_operator.cli.daemons.listing import set_cordoned
from provisioner_operator.cli.errors import CliError, Exit, ServerAwayError, TimedOutError, combined
from provisioner_operator.cli.output.times import duration
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view import loading
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.kube import paths, selectors

_POLL_SECONDS = 1.0
_FORCED = "its daemon is being drained by force"


def drain(session: Session, names: Iterable[str], *, force: bool, timeout: float | None, reason: str | None) -> Exit:
    """Drain these daemons, all at the same time."""
    codes = {name: _begin(session, name) for name in dict.fromkeys(names)}
    draining = [name for name, code in codes.items() if code is Exit.OK]
    if force:
        for name in draining:
            _kill_jobs(session, name, reason or _FORCED)
    deadline = float("inf") if timeout is None else time.monotonic() + timeout
    progress = _Progress(session, draining)
    while not progress.look():
        if time.monotonic() >= deadline:
            left = ", ".join(progress.left)
            session.terminal.note(f"Not drained within {duration(timeout or 0)}: {left}. They stay cordoned.")
            codes |= dict.fromkeys(progress.left, TimedOutError.code)
            break
        time.sleep(_POLL_SECONDS)
    return combined(codes.values())


def _begin(session: Session, name: str) -> Exit:
    try:
        session.terminal.say(f"{name}: {set_cordoned(session, name, cordoned=True)}")
    except CliError as error:
        session.terminal.note(f"{name}: {error}")
        return error.code
    return Exit.OK


class _Progress:
    """What each daemon still has, told when it changes."""

    def __init__(self, session: Session, names: Iterable[str]) -> None:
        self._session = session
        self._said = dict.fromkeys(names, "")
        self._away_since: float | None = None

    @property
    def left(self) -> list[str]:
        """The daemons that still have jobs."""
        return sorted(self._said)

    def look(self) -> bool:
        """Whether all are drained now. Raises ServerAwayError when the API server stays away."""
        try:
            for name in self.left:
                self._look_at(name)
            self._away_since = None
        except ServerAwayError as error:
            now = time.monotonic()
            if self._away_since is None:
                self._session.terminal.note(f"{error} Trying again.")
                self._away_since = now
            if now - self._away_since >= PATIENCE_SECONDS:
                raise
        return not self._said

    def _look_at(self, name: str) -> None:
        held = _held(self._session, name)
        said = f"{name}: waits for {_counted(held)}" if held else f"{name}: drained"
        if not held:
            self._session.terminal.say(said)
            del self._said[name]
        elif said != self._said[name]:
            self._session.terminal.note(said, "dim")
            self._said[name] = said


def _counted(held: Sequence[str]) -> str:
    return f"job {held[0]}" if len(held) == 1 else f"{len(held)} jobs: {', '.join(held)}"


def _held(session: Session, name: str) -> list[str]:
    """The jobs that the daemon was given and that have not ended, and the runs that it reports."""
    selector = selectors.unfinished_jobs_of(name)
    given = loading.bodies(session.cluster, paths.jobs(session.namespace), {"fieldSelector": selector})
    body = session.cluster.get(paths.daemon(session.namespace, name))
    running = (body.get("status") or {}).get("currentJobs") or ()
    return sorted({str(each["metadata"]["name"]) for each in given} | {str(each["name"]) for each in running})


def _kill_jobs(session: Session, name: str, reason: str) -> None:
    selector = selectors.unfinished_jobs_of(name)
    for body in list(loading.bodies(session.cluster, paths.jobs(session.namespace), {"fieldSelector": selector})):
        job = body["metadata"]["name"]
        why = () if body["spec"].get("cancel") else (("/spec/cancelReason", reason),)
        patch = JsonPatch(
            tests=(("/metadata/uid", body["metadata"]["uid"]), ("/status/assignment/daemon", name)),
            sets=(("/spec/cancel", True), ("/spec/cancelMode", CancelMode.FORCE), *why),
        )
        try:
            session.cluster.json_patch(paths.job(session.namespace, job), patch, role="provisioner-admin")
            session.terminal.note(f"{name}: job {job} is being killed", "red")
        except CliError as error:
            session.terminal.note(f"{name}: job {job} is not canceled: {error}")
