"""The property of the advised change: it suffices, and nothing smaller would, of the matching daemons if there are any."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.enums import DaemonState, Provisioner
from provisioner_operator.core.model.matching import OWNER, SCOPE, Demand, Tags, effective_tags, satisfies
from provisioner_operator.core.scheduling.explanation import explain
from provisioner_operator.core.scheduling.smallest_change import (
    AddProvisioner,
    AwaitSlot,
    BringOnline,
    Candidate,
    DaemonEdit,
    Edit,
    Restart,
    ScopeDaemon,
    ScopeJob,
    StartDaemon,
    TagDaemon,
    TagJob,
    Uncordon,
)
from support.builders.core import a_daemon, a_demand

State = tuple[Demand, tuple[Candidate, ...]]
Change = Callable[[State], State]

KEYS, VALUES = ("env", "dc"), ("1", "2")
SCOPES: tuple[tuple[str, str], ...] = (("organization", ""), ("user", "ann"), ("user", "bob"))


def with_tag(tags: Tags, key: str, value: str) -> Tags:
    return effective_tags(dict(tags) | {key: value})


def with_scope(tags: Tags, scope: str, owner: str) -> Tags:
    return effective_tags(dict(tags) | {SCOPE: scope, OWNER: owner})


def without(tags: Tags, key: str) -> Tags:
    return effective_tags({other: value for other, value in tags if other != key})


def on_daemon(name: str, change: Callable[[Candidate], Candidate]) -> Change:
    def apply(state: State) -> State:
        demand, candidates = state
        return demand, tuple(change(each) if each.daemon.name == name else each for each in candidates)

    return apply


def on_supply(name: str, change: Callable[[Tags], Tags]) -> Change:
    def retag(each: Candidate) -> Candidate:
        supply = each.daemon.supply._replace(tags=change(each.daemon.supply.tags))
        return replace(each, daemon=replace(each.daemon, supply=supply))

    return on_daemon(name, retag)


def on_job(change: Callable[[Tags], Tags]) -> Change:
    return lambda state: (state[0]._replace(tags=change(state[0].tags)), state[1])


def add_provisioner(each: Candidate, provisioner: Provisioner) -> Candidate:
    supply = each.daemon.supply._replace(provisioners=each.daemon.supply.provisioners | {provisioner})
    return replace(each, daemon=replace(each.daemon, supply=supply))


def meaning(edit: Edit) -> Change:
    """The cluster after an admin followed the advice."""
    match edit:
        case TagJob(_, key, value):
            return on_job(lambda tags: with_tag(tags, key, value))
        case ScopeJob(_, scope, owner):
            return on_job(lambda tags: with_scope(tags, scope, owner))
        case StartDaemon(demand):
            new = a_daemon("new", provisioners=(demand.provisioner,), tags=dict(demand.tags))
            return lambda state: (state[0], (*state[1], Candidate(new, online=True, free=True)))
        case _:
            return meaning_for_daemon(edit)


def meaning_for_daemon(edit: DaemonEdit) -> Change:
    change: Change
    match edit:
        case AwaitSlot(name):
            change = on_daemon(name, lambda each: replace(each, free=True))
        case Uncordon(name):
            change = on_daemon(name, lambda each: replace(each, daemon=replace(each.daemon, cordoned=False)))
        case BringOnline(name) | Restart(name):
            change = on_daemon(name, lambda each: replace(each, online=True))
        case TagDaemon(name, key, value):
            change = on_supply(name, lambda tags: with_tag(tags, key, value))
        case ScopeDaemon(name, scope, owner):
            change = on_supply(name, lambda tags: with_scope(tags, scope, owner))
        case AddProvisioner(name, provisioner):
            change = on_daemon(name, lambda each: add_provisioner(each, provisioner))
        case _:
            raise AssertionError(f"{edit} is about the job")
    return change


def atomic_changes(name: str) -> Iterator[Change]:
    """All that could be changed about one daemon, and about the job, one thing at a time."""
    yield meaning(AwaitSlot(name))
    yield meaning(Uncordon(name))
    yield meaning(BringOnline(name))
    yield from (meaning(AddProvisioner(name, provisioner)) for provisioner in Provisioner)
    for key in KEYS:
        for value in VALUES:
            yield meaning(TagDaemon(name, key, value))
            yield meaning(TagJob(name, key, value))
        yield on_supply(name, lambda tags, key=key: without(tags, key))  # type: ignore[misc]
        yield on_job(lambda tags, key=key: without(tags, key))  # type: ignore[misc]
    for scope, owner in SCOPES:
        yield meaning(ScopeDaemon(name, scope, owner))
        yield meaning(ScopeJob(name, scope, owner))


def is_unblocked(state: State) -> bool:
    demand, candidates = state
    return any(satisfies(each.daemon.supply, demand) and each.open and each.free for each in candidates)


def applied(state: State, changes: tuple[Change, ...]) -> State:
    for change in changes:
        state = change(state)
    return state


plain = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES), max_size=2)
scoped = st.builds(lambda tags, scope: tags | {SCOPE: scope[0], OWNER: scope[1]}, plain, st.sampled_from(SCOPES))
mostly = st.sampled_from([True, True, False])
provisioners = st.sampled_from([(Provisioner.TERRAFORM,), (Provisioner.TERRAFORM,), (Provisioner.ECHO,)])


@st.composite
def fleets(draw: st.DrawFn) -> State:
    demand = a_demand(**draw(scoped))
    candidates = []
    for number in range(draw(st.integers(0, 3))):
        cordoned = not draw(mostly)
        state = DaemonState.IDLE if draw(mostly) else DaemonState.DRAINING
        daemon = a_daemon(
            f"d{number}", tags=draw(scoped), provisioners=draw(provisioners), cordoned=cordoned, state=state
        )
        online = state is not DaemonState.DRAINING and draw(mostly)
        candidates.append(Candidate(daemon, online=online, free=draw(mostly)))
    return demand, tuple(candidates)


@given(fleets())
@settings(max_examples=300)
def test_the_advised_change_unblocks_the_job(state: State) -> None:
    explanation = explain(*state)
    assert (explanation is None) == is_unblocked(state)
    if explanation is not None:
        assert is_unblocked(applied(state, tuple(map(meaning, explanation.edits))))


@given(fleets())
@settings(max_examples=120)
def test_no_smaller_change_would(state: State) -> None:
    explanation = explain(*state)
    assume(explanation is not None and 1 < len(explanation.edits) <= 4)
    assert explanation is not None
    demand, candidates = state
    matching = [each for each in candidates if satisfies(each.daemon.supply, demand)]
    for candidate in matching or candidates:
        # Changes of different daemons do not help one another.
        alone: State = (demand, (candidate,))
        changes = list(atomic_changes(candidate.daemon.name))
        for size in range(1, len(explanation.edits)):
            for chosen in combinations(changes, size):
                assert not is_unblocked(applied(alone, chosen))
