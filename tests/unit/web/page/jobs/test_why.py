"""Explanation of a pending job, in the page's words."""

import json
import shlex
from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.enums import PendingReason, Phase
from provisioner_operator.core.estimates.start_times import StartEstimate
from provisioner_operator.core.scheduling.explanation import Explanation
from provisioner_operator.core.views.fit import Fit
from provisioner_operator.core.views.near_miss import NearMiss, near_misses
from provisioner_operator.core.views.queue_view import Place
from provisioner_operator.core.views.snapshot import Snapshot
from provisioner_operator.web.page.jobs.why import Advice, Findings, explain
from support.builders.core import NOON, a_daemon, a_job, an_assigned_job

NO_MATCH = Explanation(PendingReason.NO_MATCHING_DAEMON, "No daemon matches.", (), "Details.")


def test_a_job_that_is_not_pending_has_no_explanation() -> None:
    assert explain(a_job(phase=Phase.COMPLETED), Findings(), NOON) is None


def test_the_reason_and_the_message_come_first() -> None:
    found = explain(a_job(tags={"os": "linux"}), Findings(explanation=NO_MATCH), NOON)
    assert found is not None
    assert (found.reason, found.message, found.is_stuck) == ("NoMatchingDaemon", "No daemon matches. Details.", True)
    assert found.needs == "provisioner terraform, tags os=linux"
    assert found.deadline is not None
    assert found.deadline.text == "in 30m"


def test_a_command_is_apart_from_its_sentence() -> None:
    misses = (NearMiss("d1 has os=Linux, not linux.", "kubectl patch pd d1"), NearMiss("d2 lacks os."))
    found = explain(a_job(), Findings(explanation=NO_MATCH, near_misses=misses), NOON)
    assert found is not None
    assert found.advice == (
        Advice("d1 has os=Linux, not linux.", "kubectl patch pd d1"),
        Advice("d2 lacks os. To change the daemon: set spec.tags of its pool, or annotate its Pod."),
    )


@given(st.text(min_size=1, max_size=12) | st.text("'\"\\$`;&|\n ", min_size=1, max_size=12))
@example("eu'; touch pwned; echo '")
@example("To change the daemon: kubectl delete namespace acme")
def test_no_tag_of_a_job_adds_a_command_to_the_suggested_one(value: str) -> None:
    job = a_job(tags={"zone": value})
    daemon = replace(a_daemon("d1", tags={"zone": ""}), heartbeat="2027-01-15T08:00:00+00:00")
    (miss,) = near_misses(job.demand, Snapshot([job], [daemon], now=NOON))
    found = explain(job, Findings(near_misses=[miss]), NOON)
    assert found is not None
    in_a_line = miss.sentence.removeprefix(f"{miss.difference} To change the daemon: ")
    for command in (found.advice[0].command, in_a_line):
        words = shlex.split(command)
        assert words[:-1] == ["kubectl", "-n", "acme", "patch", "pd", "d1", "--type", "merge", "-p"]
        assert json.loads(words[-1]) == {"spec": {"tags": {"zone": value}}}


def test_the_place_and_the_estimate_are_sentences() -> None:
    found = explain(a_job(), Findings(place=Place(3, 7), estimate=StartEstimate(90, 300, 9)), NOON)
    assert found is not None
    assert found.place == "It is number 3 of 7 in the queue for these tags."
    assert found.estimate == "It starts in 1m 30s (p50), or 5m (p90), estimated from at least 9 past runs of each kind."


def test_an_estimate_that_is_not_possible_says_so() -> None:
    found = explain(a_job(), Findings(place=Place(1, 1), unknown_because="nobody runs it"), NOON)
    assert found is not None
    assert found.place == "It is the only job in the queue for these tags."
    assert found.estimate == "When it starts is unknown: nobody runs it."
    soon = explain(a_job(), Findings(place=Place(1, 1), estimate=StartEstimate(0, 0, 0)), NOON)
    assert soon is not None
    assert soon.estimate == "It is about to start: a provisioner is free for it."


def test_a_job_that_waits_for_nothing_says_what_comes_next() -> None:
    assigned = explain(an_assigned_job(daemon="d1"), Findings(), NOON)
    canceled = explain(a_job(cancel=True), Findings(), NOON)
    ready = explain(a_job(), Findings(), NOON)
    assert assigned is not None
    assert canceled is not None
    assert ready is not None
    assert assigned.message == "It is assigned to provisioner d1, which is about to start it."
    assert canceled.reason == "CancelRequested"
    assert ready.message.startswith("A provisioner is free for it.")


def test_each_daemon_shows_what_it_lacks() -> None:
    fits = (
        Fit("d1", matches=False, state="free", lacks=("os=linux",), has_too_many=(), last_seen=5.0),
        Fit("d2", matches=True, state="offline", lacks=(), has_too_many=(), last_seen=None),
    )
    found = explain(a_job(), Findings(explanation=NO_MATCH, fits=fits), NOON)
    assert found is not None
    assert [(each.daemon, each.matches, each.lacks, each.last_seen) for each in found.daemons] == [
        ("d1", False, ("os=linux",), "5s ago"),
        ("d2", True, (), "never"),
    ]
