"""The daemons that explanations consider: one of each kind, and those that were advised before."""

from dataclasses import replace

from provisioner_operator.api.v1alpha1.enums import DaemonState
from provisioner_operator.core.scheduling.candidates import distinct
from provisioner_operator.core.scheduling.smallest_change import Candidate
from support.builders.core import a_daemon

FREE = Candidate(a_daemon("d5"), online=True, free=True)


def named(candidate: Candidate, name: str) -> Candidate:
    return replace(candidate, daemon=replace(candidate.daemon, name=name, uid=name))


def names(found: list[Candidate]) -> set[str]:
    return {each.daemon.name for each in found}


def test_of_daemons_that_are_alike_the_first_by_name_stands_for_all() -> None:
    assert names(distinct([named(FREE, "d7"), FREE, named(FREE, "d6")], frozenset())) == {"d5"}


def test_a_daemon_that_was_advised_is_considered_beside_the_first_of_its_kind() -> None:
    assert names(distinct([named(FREE, "d7"), FREE, named(FREE, "d6")], frozenset({"d6"}))) == {"d5", "d6"}


def test_daemons_that_differ_in_anything_but_their_names_are_of_different_kinds() -> None:
    others = [
        replace(FREE, online=False),
        replace(FREE, free=False),
        *(
            replace(FREE, daemon=daemon)
            for daemon in (
                a_daemon(tags={"os": "linux"}),
                a_daemon(state=DaemonState.DRAINING),
                a_daemon(cordoned=True),
                a_daemon(pod_uid="pod", heartbeat=None),
            )
        ),
    ]
    kinds = [FREE, *(named(each, f"e{number}") for number, each in enumerate(others))]
    assert names(distinct(kinds, frozenset())) == names(kinds)
