"""A namespace's ProvisionerSupply follows its daemons, pools and templates, by few writes; what is unchanged is not written."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.enums import ConditionStatus, DaemonState, PoolCondition, Provisioner
from provisioner_operator.core.model.backoff import Refusal
from provisioner_operator.core.model.matching import effective_tags
from provisioner_operator.core.model.records import Condition, Daemon, UnreadableObject
from provisioner_operator.core.pools.records import PoolStatus
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers
from provisioner_operator.core.reconcilers.supplies import SUPPLY_SECONDS
from provisioner_operator.core.scheduling.explanation_timing import SETTLE_SECONDS
from provisioner_operator.core.scheduling.supplies import SupplyContent, SupplyRecord, TemplateDemand, WriteSupply
from provisioner_operator.core.workspaces.records import Template
from support.builders.core import NAMESPACE, NOON, a_daemon, at, next_heartbeat
from support.builders.pools import a_pool, scaling
from support.builders.workspaces import a_template, a_version


class Namespace:
    """A controller of one namespace, whose writes all succeed; `found` is the object that exists at its start."""

    def __init__(self, found: SupplyRecord | None = None) -> None:
        self.versions = count(1 if found is None else found.resource_version + 1)
        self.reconcilers = Reconcilers.create("image", publish_supplies=True)
        self.supplies = self.reconcilers.supplies
        self.writes: list[WriteSupply] = []
        self.record = found
        if found is not None:
            self.supplies.observe_supply(found, at(0))

    def observe(self, *daemons: Daemon, seconds: float = 0) -> None:
        for daemon in daemons:
            self.reconcilers.jobs.observe_daemon(daemon, at(seconds))

    def observe_template(self, template: Template) -> None:
        self.reconcilers.workspaces.observe_template(template)
        self.supplies.template_changed(template, at(0))

    def decide(self, seconds: float) -> list[WriteSupply]:
        """Return the decisions of a round."""
        list(self.reconcilers.jobs.decide(at(seconds)))
        return list(self.supplies.decide(at(seconds)))

    def work(self, seconds: float) -> None:
        """Decide, and carry out what was decided."""
        for decision in self.decide(seconds):
            self.carry_out(decision, seconds)

    def carry_out(self, decision: WriteSupply, seconds: float) -> None:
        self.writes.append(decision)
        version = next(self.versions)
        uid = f"uid-{version}" if decision.known is None else decision.known.uid
        self.record = SupplyRecord(NAMESPACE, uid, version, decision.content, decision.content.index)
        self.supplies.observe_supply(self.record, at(seconds))
        self.supplies.accepted(decision)
        self.supplies.settled(decision, at(seconds))

    def rest(self, since: float) -> None:
        """Decide at this moment, and whenever a decision is due after it."""
        self.work(since)
        for _ in range(20):
            wake = self.supplies.next_wake()
            if wake is None:
                return
            self.work(wake - at(0).monotonic)
        raise AssertionError(f"still something to do, {since} s after noon")

    @property
    def content(self) -> SupplyContent:
        """The object's content."""
        assert self.record is not None
        return self.record.content

    @property
    def offers(self) -> dict[str, frozenset[tuple[str, str]]]:
        """Tags by the daemon or pool that offers them."""
        return {each.offered_by: each.supply.tags for each in self.content.supplies or ()}


def tagged(**tags: str) -> frozenset[tuple[str, str]]:
    return effective_tags(tags)


def test_what_daemons_offer_is_written_once() -> None:
    namespace = Namespace()
    namespace.observe(a_daemon("a", tags={"gpu": "yes"}), a_daemon("b"), a_daemon("c", tags={"gpu": "yes"}))

    namespace.work(0)
    assert namespace.writes == []  # others may start at the same time
    namespace.rest(0)

    assert [each.known for each in namespace.writes] == [None]
    assert namespace.offers == {"daemon a": tagged(gpu="yes"), "daemon b": tagged()}


def test_an_idle_installation_writes_nothing() -> None:
    namespace = Namespace()
    daemon = a_daemon()
    namespace.observe(daemon)
    namespace.rest(0)
    for seconds in range(10, 3600, 10):
        daemon = next_heartbeat(daemon)
        namespace.observe(daemon, seconds=seconds)
        namespace.work(seconds)
        assert namespace.supplies.next_wake() is None

    assert len(namespace.writes) == 1


def test_a_restart_writes_nothing() -> None:
    before = Namespace()
    before.observe(a_daemon("a"), a_daemon("b", tags={"gpu": "yes"}))
    before.observe_template(a_template(tags={"gpu": "yes"}))
    before.rest(0)

    after = Namespace(before.record)
    after.observe(a_daemon("b", tags={"gpu": "yes"}), a_daemon("a"))
    after.observe_template(a_template(tags={"gpu": "yes"}))
    after.rest(0)

    assert after.writes == []


def test_daemons_that_come_and_go_cost_a_write_only_with_the_one_that_is_named() -> None:
    namespace = Namespace()
    namespace.observe(a_daemon("b"))
    namespace.rest(0)
    namespace.observe(a_daemon("a"), a_daemon("c"), seconds=10)
    namespace.rest(10)
    namespace.reconcilers.jobs.daemon_deleted("uid-of-a", at(20))
    namespace.rest(20)
    assert (len(namespace.writes), [*namespace.offers]) == (1, ["daemon b"])

    namespace.reconcilers.jobs.daemon_deleted("uid-of-b", at(30))
    namespace.rest(30)
    assert (len(namespace.writes), [*namespace.offers]) == (2, ["daemon c"])


@pytest.mark.parametrize(
    "fields",
    [{"state": DaemonState.DRAINING}, {"state": DaemonState.OFFLINE}, {"cordoned": True}],
    ids=str,
)
def test_a_daemon_that_takes_no_jobs_offers_nothing(fields: dict[str, Any]) -> None:
    namespace = Namespace()
    daemon = a_daemon()
    namespace.observe(daemon)
    namespace.rest(0)
    namespace.observe(next_heartbeat(daemon, **fields), seconds=10)
    namespace.rest(10)
    assert namespace.offers == {}

    namespace.observe(next_heartbeat(next_heartbeat(daemon)), seconds=20)
    namespace.rest(20)
    assert namespace.offers == {"daemon daemon": tagged()}


def test_a_daemon_that_cannot_be_read_offers_nothing() -> None:
    namespace = Namespace()
    namespace.observe(a_daemon())
    namespace.rest(0)
    unreadable = UnreadableObject(NAMESPACE, "daemon", "uid-of-daemon", 2)
    namespace.reconcilers.jobs.observe_unreadable_daemon(unreadable, at(10))
    namespace.rest(10)
    assert namespace.offers == {}


def test_a_pool_offers_what_its_daemons_would_whether_it_has_any_or_not() -> None:
    namespace = Namespace()
    pool = a_pool(tags={"gpu": "yes"}, autoscaling=scaling(1))
    namespace.reconcilers.pools.observe_pool(pool, at(0))
    namespace.rest(0)
    grown = replace(pool, resource_version=2, status=PoolStatus(replicas=1))
    namespace.reconcilers.pools.observe_pool(grown, at(10))
    namespace.observe(a_daemon("a-pod", tags={"gpu": "yes"}), seconds=10)
    namespace.rest(10)

    assert (len(namespace.writes), namespace.offers) == (1, {"pool pool": tagged(gpu="yes")})


@pytest.mark.parametrize("how", ["stalled", "scaled to zero", "deleted"])
def test_a_pool_that_starts_no_daemon_offers_nothing(how: str) -> None:
    namespace = Namespace()
    pool = a_pool()
    namespace.reconcilers.pools.observe_pool(pool, at(0))
    namespace.rest(0)
    conditions = (
        Condition(PoolCondition.STALLED, ConditionStatus.TRUE, "ImagePullBackOff", "", NOON),
        Condition(PoolCondition.READY, ConditionStatus.FALSE, "ImagePullBackOff", "no such image", NOON),
    )
    match how:
        case "stalled":
            later = replace(pool, resource_version=2, status=PoolStatus(conditions=conditions))
            namespace.reconcilers.pools.observe_pool(later, at(10))
        case "scaled to zero":
            namespace.reconcilers.pools.observe_pool(replace(pool, resource_version=2, replicas=0), at(10))
        case _:
            namespace.reconcilers.pools.pool_deleted(pool.uid, at(10))
    namespace.rest(10)
    assert namespace.offers == {}


def test_templates_are_written_with_the_program_of_their_active_version() -> None:
    namespace = Namespace()
    template = a_template(a_version(provisioner=Provisioner.ECHO), tags={"gpu": "yes"})
    new = a_template(name="new", uid="uid-of-new", active=None)
    namespace.observe_template(template)
    namespace.observe_template(new)
    namespace.rest(0)
    assert namespace.content.templates == {
        "template": TemplateDemand(Provisioner.ECHO, {"gpu": "yes"}),
        "new": TemplateDemand(Provisioner.TERRAFORM, {}),
    }

    namespace.reconcilers.workspaces.template_deleted(new.uid)
    namespace.supplies.template_changed(new, at(10))
    namespace.rest(10)
    assert list(namespace.content.templates or ()) == ["template"]


def test_a_namespace_without_anything_gets_no_object_but_keeps_one() -> None:
    namespace = Namespace()
    namespace.observe(a_daemon(cordoned=True))
    namespace.rest(0)
    assert namespace.writes == []

    namespace.observe(next_heartbeat(a_daemon()), seconds=10)
    namespace.rest(10)
    namespace.reconcilers.jobs.daemon_deleted("uid-of-daemon", at(20))
    namespace.rest(20)
    assert [each.content.is_empty for each in namespace.writes] == [False, True]


def test_an_index_that_is_missing_or_wrong_is_written_again() -> None:
    namespace = Namespace()
    namespace.observe(a_daemon())
    namespace.rest(0)
    assert namespace.record is not None
    for second, index in ((10, None), (20, SupplyContent().index)):
        changed = replace(namespace.record, resource_version=next(namespace.versions), index=index)
        namespace.supplies.observe_supply(changed, at(second))
        namespace.rest(second)
        assert namespace.writes[-1].known == changed
    assert len(namespace.writes) == 3


def test_an_object_that_somebody_changes_or_deletes_is_written_again() -> None:
    namespace = Namespace()
    namespace.observe(a_daemon())
    namespace.rest(0)
    assert namespace.record is not None
    changed = replace(namespace.record, resource_version=next(namespace.versions), content=SupplyContent())
    assert namespace.supplies.observe_supply(changed, at(10))
    assert not namespace.supplies.observe_supply(changed, at(10))
    namespace.rest(10)
    assert [each.known for each in namespace.writes] == [None, changed]

    namespace.supplies.supply_deleted(changed.uid, at(20))
    assert not namespace.supplies.observe_supply(changed, at(20))
    assert [*namespace.supplies.supplies()] == []
    namespace.rest(20)
    assert namespace.writes[-1].known is None


def test_the_deletion_of_a_former_object_is_not_that_of_its_successor() -> None:
    namespace = Namespace(SupplyRecord(NAMESPACE, "former", 1, SupplyContent(), SupplyContent().index))
    successor = SupplyRecord(NAMESPACE, "successor", next(namespace.versions), SupplyContent(), SupplyContent().index)
    namespace.supplies.observe_supply(successor, at(0))
    namespace.supplies.supply_deleted("former", at(0))
    namespace.supplies.supply_deleted("never seen", at(0))
    namespace.observe(a_daemon())
    namespace.rest(0)
    assert [each.known for each in namespace.writes] == [successor]


def test_a_refused_write_is_repeated_ever_later_and_reported_once() -> None:
    namespace = Namespace()
    namespace.observe(a_daemon())
    namespace.decide(0)
    reported, at_seconds = [], []
    for _ in range(5):
        wake = namespace.supplies.next_wake()
        seconds = 0.0 if wake is None else wake - at(0).monotonic
        for decision in namespace.decide(seconds):
            refusal = Refusal("Forbidden", "no")
            reported.append(namespace.supplies.refused(decision, refusal, at(seconds)))
            namespace.supplies.settled(decision, at(seconds))
            at_seconds.append(seconds)
    assert reported.count(True) == 1
    assert len(at_seconds) >= 2


def test_a_refusal_is_news_again_after_a_time_in_which_nothing_was_to_be_written() -> None:
    namespace = Namespace()
    news = []
    for seconds in (0, 100):
        daemon = a_daemon(f"since-{seconds}")
        namespace.observe(daemon, seconds=seconds)
        namespace.decide(seconds)
        (write,) = namespace.decide(seconds + SUPPLY_SECONDS)
        news.append(namespace.supplies.refused(write, Refusal("Forbidden", "no"), at(seconds + SUPPLY_SECONDS)))
        namespace.supplies.settled(write, at(seconds + SUPPLY_SECONDS))
        namespace.reconcilers.jobs.daemon_deleted(daemon.uid, at(seconds + 50))
        namespace.decide(seconds + 50)
        assert namespace.decide(seconds + 60) == []
    assert news == [True, True]


def test_nothing_else_is_decided_about_a_namespace_while_a_write_is_under_way() -> None:
    namespace = Namespace()
    namespace.observe(a_daemon("a"))
    namespace.decide(0)
    (first,) = namespace.decide(SETTLE_SECONDS)
    namespace.observe(a_daemon("b", tags={"gpu": "yes"}), seconds=2)
    assert namespace.decide(2) == namespace.decide(60) == []
    namespace.carry_out(first, 61)
    namespace.rest(61)
    assert [*namespace.offers] == ["daemon a", "daemon b"]


def test_nothing_is_decided_unless_it_was_asked_for() -> None:
    reconcilers = Reconcilers.create("image")
    reconcilers.jobs.observe_daemon(a_daemon(), at(0))
    reconcilers.supplies.template_changed(a_template(), at(0))
    assert [*reconcilers.supplies.decide(at(0)), *reconcilers.supplies.decide(at(60))] == []
    assert reconcilers.supplies.next_wake() is None


@given(
    st.lists(
        st.tuples(
            st.floats(0, 3),
            st.sampled_from("abcd"),
            st.sampled_from([{}, {"gpu": "yes"}, {"gpu": "no"}]),
            st.booleans(),
        ),
        max_size=30,
    )
)
def test_writes_are_few_and_the_last_one_is_right(changes: Sequence[tuple[float, str, dict[str, str], bool]]) -> None:
    namespace = Namespace()
    now, versions, fleet = 0.0, count(2), dict[str, Daemon]()
    for pause, name, tags, cordoned in changes:
        now += pause
        fleet[name] = a_daemon(name, tags=tags, cordoned=cordoned, resource_version=next(versions))
        namespace.observe(fleet[name], seconds=now)
        namespace.work(now)
    assert len(namespace.writes) <= 1 + now / SUPPLY_SECONDS
    namespace.rest(now)

    supplies = {each.supply for each in fleet.values() if not each.cordoned}
    if namespace.record is None:
        assert supplies == set()
    else:
        assert {each.supply for each in namespace.content.supplies or ()} == supplies
        offered = {(each.offered_by, each.supply) for each in namespace.content.supplies or ()}
        assert offered <= {(f"daemon {each.name}", each.supply) for each in fleet.values() if not each.cordoned}
