"""`jobs why`: what keeps a job from starting, daemon by daemon; the core's own words and rules."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass

import orjson
from rich.text import Text

from provisioner_operator.api.v1alpha1.enums import PendingReason, Phase
from provisioner_operator.cli.errors import CliError
from provisioner_operator.cli.output.plurals import counted
from provisioner_operator.cli.output.table import ALWAYS, Cell, Column, lines
from provisioner_operator.cli.output.times import duration, moment
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view import loading
from provisioner_operator.core.jobs.ordering import natural
from provisioner_operator.core.jobs.timeouts import pending_deadline
from provisioner_operator.core.model.matching import UNTAGGED, Demand, format_tags, satisfies
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.scheduling.explanation import STUCK, Explanation, explain_busy_workspace
from provisioner_operator.core.scheduling.smallest_change import Candidate
from provisioner_operator.core.views.snapshot import Snapshot, heartbeat_age, waited
from provisioner_operator.core.views.wait_estimate import Estimate, estimate


@dataclass(frozen=True, slots=True)
class Fit:
    """How one daemon and one demand go together."""

    daemon: str
    matches: bool
    state: str
    """free, busy, offline, draining, cordoned; several with commas."""
    lacks: tuple[str, ...]
    """Tags and programs that the job asks for and the daemon has not."""
    has_too_many: tuple[str, ...]
    """Tags of the daemon that keep out a job without tags."""
    last_seen: float | None
    """Seconds since its last heartbeat."""


def fits(demand: Demand, scene: Snapshot) -> list[Fit]:
    """All daemons of the namespace, those that match first."""
    found = [_fit(demand, candidate, scene) for candidate in scene.candidates(demand.namespace)]
    return sorted(found, key=lambda fit: (not fit.matches, len(fit.lacks) + len(fit.has_too_many), natural(fit.daemon)))


def _fit(demand: Demand, candidate: Candidate, scene: Snapshot) -> Fit:
    supply = candidate.daemon.supply
    lacks: list[str] = []
    if demand.provisioner not in supply.provisioners:
        lacks.append(f"provisioner {demand.provisioner}")
    is_untagged = demand.tags == UNTAGGED
    spare = sorted(supply.tags - UNTAGGED) if is_untagged else []
    if not is_untagged:
        # The implied owner is nothing that anybody wrote.
        lacks += [f"{key}={value}" for key, value in sorted(demand.tags - supply.tags) if value]
        lacks = lacks or (["owner"] if not demand.tags <= supply.tags else [])
    return Fit(
        candidate.daemon.name,
        satisfies(supply, demand),
        _state(candidate, scene),
        tuple(lacks),
        tuple(f"{key}={value}" for key, value in spare),
        heartbeat_age(candidate.daemon, scene.now),
    )


def _state(candidate: Candidate, scene: Snapshot) -> str:
    daemon = candidate.daemon
    words = []
    if not candidate.online:
        words.append("draining" if daemon.state == "Draining" else "offline")
    if daemon.cordoned:
        words.append("cordoned")
    if not candidate.free:
        words.append(f"busy {scene.used(daemon)}/{daemon.capacity}")
    return ", ".join(words) or "free"


def columns() -> list[Column[Fit]]:
    """How daemons and their fit look in a table."""
    return [
        Column("Daemon", lambda fit: fit.daemon, ALWAYS),
        Column("Matches", lambda fit: Cell("yes", "green") if fit.matches else Cell("no", "red"), 90),
        Column("State", lambda fit: Cell(fit.state, "green" if fit.state == "free" else "yellow"), 80),
        Column("Lacks", lambda fit: Cell(", ".join(fit.lacks), "red"), 70),
        Column("Has too many", lambda fit: Cell(", ".join(fit.has_too_many), "red"), 60),
        Column("Last seen", lambda fit: "never" if fit.last_seen is None else f"{duration(fit.last_seen)} ago", 30),
    ]


def explain_job(session: Session, name: str, *, as_json: bool) -> None:
    """Print why the job is pending."""
    cluster, warn = session.cluster, session.terminal.note
    _, model = loading.read_job(cluster, session.namespace, name)
    job = loading.job_view(model).job
    scene = loading.scene(cluster, session.namespace, warn)
    is_waiting = job.phase is Phase.PENDING and job.uid in scene.jobs
    job = scene.jobs.get(job.uid, job)
    guess = guess_for(session, job, scene) if is_waiting else None
    if as_json:
        sys.stdout.write(orjson.dumps(_document(job, scene, guess), option=orjson.OPT_INDENT_2).decode() + "\n")
        return
    for line in told(job, scene, guess, utc=session.utc):
        session.terminal.out.print(line)
    found = fits(job.demand, scene)
    if job.phase is Phase.PENDING and found:
        session.terminal.out.print()
        session.terminal.show(lines(useful(found), found, width=session.terminal.width))


def useful(found: Iterable[Fit]) -> list[Column[Fit]]:
    """The columns in which something stands."""
    rows = list(found)
    empty = {"Lacks": not any(fit.lacks for fit in rows), "Has too many": not any(fit.has_too_many for fit in rows)}
    return [column for column in columns() if not empty.get(column.title)]


def guess_for(session: Session, job: Job, scene: Snapshot) -> Estimate | None:
    """An estimate of the job's start; None if there is nothing to make it from."""
    if job.uid not in scene.places or not scene.takers(job.demand):
        return None
    try:
        return estimate(job, scene, loading.ended_runs(session.cluster, session.namespace, session.terminal.note))
    except CliError as error:
        session.terminal.note(f"No estimate: {error}")
        return None


def explanation_of(job: Job, scene: Snapshot) -> Explanation | None:
    """Why the pending job waits; None if a daemon is ready for it, or it has one."""
    if job.assignment is not None or job.cancel:
        return None
    if job.suspend:
        message = "It is suspended. To unblock it: `jobs resume` it."
        return Explanation(PendingReason.SUSPENDED, message, ())
    blocker = scene.blocker_of(job)
    if blocker is not None:
        return explain_busy_workspace(job.workspace, blocker)
    return scene.explain(job.demand)


def told(job: Job, scene: Snapshot, guess: Estimate | None, *, utc: bool) -> list[Text]:
    """Why it waits, and for how long, in lines."""
    head = Text.assemble((job.name, "bold"), f" is {job.phase}")
    if job.phase is not Phase.PENDING:
        head.append(f": it does not wait. {job.message or ''}".rstrip())
        return [head, Text(f"`jobs show {job.name}` tells what became of it.", "dim")]
    head.append(f" for {duration(waited(job, scene.now))}")
    told = [head, Text(f"It asks for provisioner {job.demand.provisioner} and tags {format_tags(job.demand.tags)}.")]
    told.append(_why(job, scene))
    if (place := scene.places.get(job.uid)) is not None:
        told.append(Text(f"Place {place.position} of {place.size} that ask for the same."))
        told.append(Text(_in_words(job, scene, guess)))
    deadline = pending_deadline(job)
    if deadline is not None:
        told.append(
            Text(f"It fails with PendingTimeout at {moment(deadline, utc=utc)}, in {duration(deadline - scene.now)}.")
        )
    return told


def _why(job: Job, scene: Snapshot) -> Text:
    explanation = explanation_of(job, scene)
    if explanation is not None:
        style = "bold red" if explanation.reason in STUCK else "yellow"
        return Text.assemble((explanation.reason, style), f": {explanation.message}")
    if job.cancel:
        return Text("Its cancel was asked for: the operator is about to end it.")
    if job.assignment is not None:
        return Text(f"It was given to daemon {job.assignment.daemon}, which is about to begin.")
    return Text(
        "Nothing keeps it: a daemon is free for it. If it does not start within seconds, the operator is down:"
        " `doctor` tells."
    )


def _in_words(job: Job, scene: Snapshot, guess: Estimate | None) -> str:
    if guess is None:
        if not scene.takers(job.demand):
            return "When it starts cannot be estimated: no daemon takes such jobs."
        return "When it starts cannot be estimated: no run was seen to end on the daemons that match."
    if guess.seconds < 1:
        return "It is about to start: a daemon is free for it."
    return f"It starts in about {duration(guess.seconds)}, by {counted(guess.runs, 'run')} of {duration(guess.mean_run)} on average."


def _document(job: Job, scene: Snapshot, guess: Estimate | None) -> dict[str, object]:
    explanation = explanation_of(job, scene) if job.phase is Phase.PENDING else None
    place = scene.places.get(job.uid)
    return {
        "job": job.name,
        "namespace": job.namespace,
        "phase": job.phase,
        "reason": explanation.reason if explanation else None,
        "message": explanation.message if explanation else job.message,
        "stuck": job.uid in scene.jobs and scene.is_stuck(job),
        "waitedSeconds": int(waited(job, scene.now)),
        "queue": None if place is None else {"position": place.position, "size": place.size},
        "estimatedSeconds": None if guess is None else int(guess.seconds),
        "daemons": [
            {
                "name": fit.daemon,
                "matches": fit.matches,
                "state": fit.state,
                "lacks": fit.lacks,
                "hasTooMany": fit.has_too_many,
                "lastSeenSeconds": None if fit.last_seen is None else int(fit.last_seen),
            }
            for fit in fits(job.demand, scene)
        ],
    }
