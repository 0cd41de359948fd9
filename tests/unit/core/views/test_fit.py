"""Daemons, compared with what a job requires."""

from dataclasses import replace

import pytest

from provisioner_operator.api.v1alpha1.enums import DaemonState, Provisioner
from provisioner_operator.core.model.matching import Demand
from provisioner_operator.core.model.records import Daemon
from provisioner_operator.core.views.fit import Fit, fits
from provisioner_operator.core.views.snapshot import Snapshot
from support.builders.core import NOON, a_daemon, a_demand, a_running_job

HEARTBEAT = "2027-01-15T08:00:00+00:00"


def fit_of(daemon: Daemon, demand: Demand) -> Fit:
    running = a_running_job("runs") if daemon.runs else None
    snapshot = Snapshot([running] if running else [], [replace(daemon, heartbeat=HEARTBEAT)], now=NOON + 10)
    (found,) = fits(demand, snapshot)
    return found


def test_a_daemon_that_matches_lacks_nothing() -> None:
    found = fit_of(a_daemon(tags={"a": "1", "b": "2"}), a_demand(a="1"))
    assert (found.matches, found.lacks, found.has_too_many, found.last_seen) == (True, (), (), 10)


def test_tags_and_provisioners_that_are_missing_are_named() -> None:
    found = fit_of(a_daemon(tags={"a": "2"}, provisioners=(Provisioner.ECHO,)), a_demand(a="1", b="2"))
    assert (found.matches, found.lacks) == (False, ("provisioner terraform", "a=1", "b=2"))


def test_a_job_without_tags_is_kept_out_by_the_daemons_tags() -> None:
    found = fit_of(a_daemon(tags={"a": "1", "b": "2"}), a_demand())
    assert (found.matches, found.lacks, found.has_too_many) == (False, (), ("a=1", "b=2"))


@pytest.mark.parametrize(
    ("daemon", "state"),
    [
        (a_daemon(), "free"),
        (a_daemon(cordoned=True), "cordoned"),
        (a_daemon(state=DaemonState.OFFLINE, cordoned=True), "offline, cordoned"),
        (a_daemon(state=DaemonState.DRAINING), "draining"),
        (a_daemon(runs=(a_running_job("runs"),)), "busy 1/1"),
    ],
)
def test_the_state_names_every_obstacle(daemon: Daemon, state: str) -> None:
    assert fit_of(daemon, a_demand()).state == state


def test_the_daemons_that_match_come_first_then_the_nearest() -> None:
    daemons = [
        a_daemon("far"),
        a_daemon("near", tags={"a": "1"}),
        a_daemon("fits-10", tags={"a": "1", "b": "2"}),
        a_daemon("fits-9", tags={"a": "1", "b": "2"}),
    ]
    found = fits(a_demand(a="1", b="2"), Snapshot([], daemons_online(daemons), now=NOON))
    assert [fit.daemon for fit in found] == ["fits-9", "fits-10", "near", "far"]


def test_daemons_of_other_namespaces_are_left_out() -> None:
    assert fits(a_demand(), Snapshot([], daemons_online([a_daemon(namespace="other")]), now=NOON)) == []


def daemons_online(daemons: list[Daemon]) -> list[Daemon]:
    return [replace(daemon, heartbeat=HEARTBEAT) for daemon in daemons]
