"""The daemons that explanations consider: one of each kind, and those that were advised before."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.enums import DaemonState
from provisioner_operator.core.scheduling.candidates import DaemonKinds
from provisioner_operator.core.scheduling.smallest_change import Candidate
from support.builders.core import NAMESPACE, a_daemon

FREE = Candidate(a_daemon("d5"), online=True, free=True)


def named(candidate: Candidate, name: str, namespace: str = NAMESPACE) -> Candidate:
    return replace(candidate, daemon=replace(candidate.daemon, name=name, uid=name, namespace=namespace))


class Fleet:
    """Daemons by uid, and their kinds."""

    def __init__(self, *daemons: Candidate) -> None:
        self.daemons: dict[str, Candidate] = {}
        self.kinds = DaemonKinds(self.daemons.__getitem__)
        for each in daemons:
            self.put(each)

    def put(self, candidate: Candidate) -> None:
        self.daemons[candidate.daemon.uid] = candidate
        self.kinds.change(candidate.daemon.uid)

    def remove(self, uid: str) -> None:
        self.daemons.pop(uid, None)
        self.kinds.discard(uid)

    def names(self, *also: str, namespace: str = NAMESPACE) -> set[str]:
        return {each.daemon.name for each in self.kinds.candidates(namespace, also)}


def test_of_daemons_that_are_alike_the_first_by_name_stands_for_all() -> None:
    assert Fleet(named(FREE, "d7"), FREE, named(FREE, "d6")).names() == {"d5"}


def test_a_daemon_that_was_advised_is_considered_beside_the_first_of_its_kind() -> None:
    assert Fleet(named(FREE, "d7"), FREE, named(FREE, "d6")).names("d6") == {"d5", "d6"}


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
    assert Fleet(*kinds).names() == {each.daemon.name for each in kinds}


def test_a_daemon_that_changed_stands_for_those_that_are_like_it_now() -> None:
    fleet = Fleet(named(FREE, "d1"), named(FREE, "d2"), named(replace(FREE, free=False), "d3"))
    assert fleet.names() == {"d1", "d3"}
    fleet.put(named(FREE, "d1"))
    assert fleet.names() == {"d1", "d3"}
    fleet.put(named(replace(FREE, free=False), "d1"))
    assert fleet.names() == {"d1", "d2"}
    for name in ("d1", "d2"):
        fleet.remove(name)
    assert fleet.names() == {"d3"}
    fleet.remove("d3")
    assert fleet.names() == set()


CHANGES = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from(["remove", "look", "free", "busy", "offline"]), st.booleans()),
    max_size=40,
)


@given(CHANGES)
def test_kinds_follow_every_change_of_a_fleet(changes: list[tuple[str, str, bool]]) -> None:
    """However daemons come, change and go, the same ones are considered as if all were looked at now."""
    fleet = Fleet()
    for name, change, elsewhere in changes:
        namespace = "elsewhere" if name in "ef" else NAMESPACE
        if change == "remove":
            fleet.remove(name)
        elif change != "look":
            state = replace(FREE, online=change != "offline", free=change == "free")
            fleet.put(named(state, name, namespace))
        if change == "look":
            fleet.names(namespace="elsewhere" if elsewhere else NAMESPACE)
    for namespace in (NAMESPACE, "elsewhere"):
        anew = Fleet(*fleet.daemons.values())
        assert fleet.names(namespace=namespace) == anew.names(namespace=namespace)
        kinds = {
            (each.online, each.free): min(
                other.daemon.name
                for other in fleet.daemons.values()
                if other.daemon.namespace == namespace and (other.online, other.free) == (each.online, each.free)
            )
            for each in fleet.daemons.values()
            if each.daemon.namespace == namespace
        }
        assert fleet.names(namespace=namespace) == set(kinds.values())
