"""Everything about one job, in lines."""

from typing import Any

from provisioner_operator.cli.jobs.show import describe
from provisioner_operator.cli.view.loading import job_view
from provisioner_operator.core.views.snapshot import Snapshot
from support.builders.core import NOON
from support.builders.stored import a_job_model

STARTED = {"startedAt": "2027-01-15T08:01:00Z"}
ASSIGNED = {
    "assignment": {"daemon": "d1", "daemonUID": "u1", "id": "first", "time": "2027-01-15T08:00:30Z"},
    **STARTED,
}


def shown(status: dict[str, Any], *, now: float = NOON + 120, **spec: Any) -> str:
    model = a_job_model("dev-7", status=status, **spec)
    snapshot = Snapshot([job_view(model).job], now=now) if model.status.phase == "Pending" else None
    return "\n".join(line.plain for line in describe(model, snapshot, now=now, utc=True))


def test_a_pending_job_is_shown_with_its_reason_and_its_place() -> None:
    text = shown({}, tags={"a": "1"})
    assert text.startswith("dev-7 in acme: Pending")
    assert "has waited for 2m" in text
    assert "NoMatchingDaemon: " in text
    assert "It is the only job in the queue for these tags." in text


def test_a_failed_job_is_shown_with_what_to_do() -> None:
    ended = {"phase": "Failed", "reason": "RunFailed", "message": "exit 1", "finishedAt": "2027-01-15T08:01:40Z"}
    text = shown(ASSIGNED | ended)
    assert "RunFailed: exit 1" in text
    assert "What to do: Read the end of its log" in text
    assert "2027-01-15T08:00:30Z  assigned to d1" in text
    assert "2027-01-15T08:01:00Z  started after 1m" in text
    assert "2027-01-15T08:01:40Z  Failed after a run of 40s" in text


def test_a_cancel_is_shown_with_who_requested_it_and_why() -> None:
    text = shown({"phase": "Running"} | ASSIGNED, cancel=True, canceledBy="ann", cancelReason="wrong region")
    assert "requested by ann (Graceful): wrong region" in text


def test_the_stages_are_drawn_in_proportion() -> None:
    timings = [
        {"stage": "init", "startedAt": "2027-01-15T08:01:00Z", "finishedAt": "2027-01-15T08:01:10Z"},
        {"stage": "apply", "startedAt": "2027-01-15T08:01:10Z"},
    ]
    lines = shown({"phase": "Running", "timings": timings} | ASSIGNED, now=NOON + 90).splitlines()
    init, apply = (line for line in lines if "━" in line)
    assert init.count("━") * 2 == apply.count("━")
    assert apply.endswith(" …")


def test_a_long_list_is_counted() -> None:
    resources = [
        {"action": "create", "type": "null_resource", "address": f"null_resource.a[{number}]"} for number in range(25)
    ]
    text = shown({"phase": "Completed", "resources": resources} | ASSIGNED)
    assert "and 5 more resources; -o json shows all" in text


def test_a_retry_names_the_job_that_it_repeats() -> None:
    model = a_job_model("dev-8", annotations={"provisioner.dev/retry-of": "dev-7"}, status={"phase": "Running"})
    text = "\n".join(line.plain for line in describe(model, None, now=NOON, utc=True))
    assert "Repeats:      dev-7" in text
