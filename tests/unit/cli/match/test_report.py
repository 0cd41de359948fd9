"""The prediction for a job before it is submitted."""

from dataclasses import replace

from provisioner_operator.cli.match.report import describe_match, match_document
from provisioner_operator.core.views.fit import fits
from provisioner_operator.core.views.snapshot import Snapshot
from support.builders.core import NOON, a_daemon, a_demand, a_job

HEARTBEAT = "2027-01-15T08:00:00+00:00"


def a_snapshot(*, cordoned: bool = False) -> Snapshot:
    daemon = a_daemon("d1", tags={"a": "1"}, cordoned=cordoned)
    return Snapshot([a_job(tags={"a": "1"})], [replace(daemon, heartbeat=HEARTBEAT)], now=NOON)


def test_a_job_that_would_start_names_the_free_daemons() -> None:
    first, *_ = describe_match(a_demand(a="1"), a_snapshot())
    assert first.plain == (
        "It would start now: a job for provisioner terraform with tags a=1 in namespace acme. Free daemons: d1."
    )


def test_a_job_that_would_wait_has_its_reason_and_the_length_of_the_queue() -> None:
    head, reason, queue = describe_match(a_demand(a="1"), a_snapshot(cordoned=True))
    assert head.plain.startswith("It would wait: ")
    assert reason.plain.startswith("DaemonsCordoned: ")
    assert queue.plain == "Already waiting with the same tags and provisioner: 1 job."


def test_the_document_has_the_outcome_and_every_daemon() -> None:
    demand, snapshot = a_demand(a="2"), a_snapshot()
    document = match_document(demand, snapshot, fits(demand, snapshot))
    assert (document["startsNow"], document["reason"], document["waiting"]) == (False, "NoMatchingDaemon", 0)
    assert document["daemons"] == [
        {"name": "d1", "matches": False, "state": "free", "lacks": ("a=2",), "hasTooMany": ()}
    ]
