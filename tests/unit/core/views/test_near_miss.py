"""Daemons that almost match a job, and what to run."""

from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import Provisioner
from provisioner_operator.core.model.records import Daemon
from provisioner_operator.core.views.near_miss import near_misses
from provisioner_operator.core.views.snapshot import Snapshot
from support.builders.core import NOON, a_daemon, a_job

JOB = a_job(tags={"datacenter": "berlin"})


def missed(*daemons: Daemon, job: Any = JOB) -> list[str]:
    seen = [replace(daemon, heartbeat="2027-01-15T08:00:00+00:00") for daemon in daemons]
    return [each.sentence for each in near_misses(job.demand, Snapshot([job], seen, now=NOON))]


@pytest.mark.parametrize(
    ("tags", "has"),
    [
        ({"datacenter": "chicago"}, "datacenter=chicago, not berlin."),
        ({"datacenter": "Berlin"}, "datacenter=Berlin, not berlin (keys and values are case-sensitive)."),
        ({"DataCenter": "berlin"}, "DataCenter=berlin, not datacenter=berlin (keys and values are case-sensitive)."),
        ({"gpu": "yes"}, "no tag datacenter (the job needs datacenter=berlin)."),
    ],
)
def test_the_difference_is_named_with_the_command_that_removes_it(tags: dict[str, str], has: str) -> None:
    command = """kubectl -n acme patch pd chicago --type merge -p '{"spec":{"tags":{"datacenter":"berlin"}}}'"""

    assert missed(a_daemon("chicago", tags=tags)) == [f"chicago has {has} To change the daemon: {command}"]


def test_a_daemon_in_a_pod_is_changed_through_its_pool_or_pod() -> None:
    daemon = replace(a_daemon("chicago", tags={"datacenter": "chicago"}), pod_uid="uid-of-pod")

    (sentence,) = missed(daemon)
    assert sentence.endswith("set spec.tags of its pool, or annotate its Pod.")


def test_the_nearest_come_first_and_at_most_three() -> None:
    job = a_job(tags={"datacenter": "berlin", "gpu": "yes"})
    daemons = [a_daemon(f"d{number}", tags={"datacenter": "berlin"}) for number in (10, 9, 8)]

    sentences = missed(a_daemon("d1", tags={"datacenter": "chicago"}), *daemons, job=job)

    assert [sentence.split()[0] for sentence in sentences] == ["d8", "d9", "d10"]
    assert "no tag gpu" in sentences[0]
    (both,) = missed(a_daemon("d1", tags={"datacenter": "chicago", "gpu": "no"}), job=job)
    assert "d1 has datacenter=chicago, not berlin and gpu=no, not yes." in both


def test_another_value_comes_before_a_missing_key() -> None:
    sentences = missed(a_daemon("a", tags={"gpu": "yes"}), a_daemon("z", tags={"datacenter": "berlim"}))
    assert [sentence.split()[0] for sentence in sentences] == ["z", "a"]


@pytest.mark.parametrize(
    "daemons",
    [
        [],
        [a_daemon("d1", tags={"datacenter": "berlin"}), a_daemon("d2", tags={"datacenter": "chicago"})],
        [a_daemon("d1", tags={"datacenter": "chicago"}, provisioners=(Provisioner.ECHO,))],
    ],
    ids=["no daemon", "one matches", "other provisioner"],
)
def test_where_no_daemon_is_near_nothing_is_said(daemons: list[Daemon]) -> None:
    assert missed(*daemons) == []


def test_a_daemon_that_differs_in_three_tags_is_not_near() -> None:
    job = a_job(tags={"datacenter": "berlin", "gpu": "yes", "os": "linux"})
    assert missed(a_daemon("d1", tags={"disk": "fast"}), job=job) == []
    assert len(missed(a_daemon("d1", tags={"os": "linux"}), job=job)) == 1


def test_a_job_of_a_user_or_without_tags_misses_by_more_than_a_tag() -> None:
    assert missed(a_daemon("d1", tags={"gpu": "yes"}), job=a_job(tags={})) == []
    assert missed(a_daemon("d1"), job=a_job(tags={"scope": "user", "owner": "sam"})) == []
