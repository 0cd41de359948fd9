"""Choice of the pools that a round plans."""

from dataclasses import replace

from provisioner_operator.core.model.matching import Demand, Supply, effective_tags
from provisioner_operator.core.pools.agenda import PoolAgenda
from provisioner_operator.core.pools.records import Pool
from support.builders.core import a_demand, at
from support.builders.pools import a_pool

LINUX, ALSO_LINUX, GPU = (
    a_pool("linux", tags={"os": "linux"}),
    a_pool("also-linux", tags={"os": "linux"}),
    a_pool("gpu", tags={"gpu": "a100"}),
)


def uids(*pools: Pool) -> list[str]:
    return [pool.uid for pool in pools]


def an_agenda(*pools: Pool) -> PoolAgenda:
    """An agenda whose pools are at rest."""
    agenda = PoolAgenda()
    for pool in pools:
        agenda.put(pool)
    agenda.take((), at(0))
    return agenda


def test_each_pool_is_planned_once_after_it_was_observed_or_changed_in_the_order_of_observation() -> None:
    agenda = PoolAgenda()
    for pool in (LINUX, GPU, ALSO_LINUX):
        agenda.put(pool)
    assert agenda.take((), at(0)) == uids(LINUX, GPU, ALSO_LINUX)
    assert agenda.take((), at(0)) == []
    agenda.change(ALSO_LINUX.uid)
    agenda.put(LINUX)
    assert agenda.take((), at(1)) == uids(LINUX, ALSO_LINUX)
    agenda.change_all()
    assert agenda.take((), at(1)) == uids(LINUX, GPU, ALSO_LINUX)


def test_a_pool_is_planned_when_its_time_has_come() -> None:
    agenda = an_agenda(LINUX, GPU)
    agenda.plan_in(GPU.uid, 5, at(0))
    agenda.plan_in(LINUX.uid, 3, at(0))
    agenda.rest(LINUX.uid)
    assert agenda.next_in(at(1)) == 4
    assert agenda.take((), at(4)) == []
    assert agenda.take((), at(5)) == uids(GPU)
    assert agenda.next_in(at(5)) is None
    agenda.plan_in(GPU.uid, 5, at(5))
    agenda.plan_in(GPU.uid, None, at(5))
    assert agenda.next_in(at(5)) is None


def test_pools_that_could_run_what_waits_are_planned_in_each_round_and_once_more_when_nothing_waits() -> None:
    agenda = an_agenda(LINUX, ALSO_LINUX, GPU)
    linux = [a_demand(os="linux")]
    assert agenda.take(linux, at(1)) == agenda.take(linux, at(2)) == uids(LINUX, ALSO_LINUX)
    assert agenda.take([a_demand(gpu="a100")], at(3)) == uids(LINUX, ALSO_LINUX, GPU)
    assert agenda.take([Demand("elsewhere", linux[0].provisioner, linux[0].tags)], at(4)) == uids(GPU)
    assert agenda.take((), at(5)) == []


def test_a_pool_counts_for_what_its_daemons_offer_now() -> None:
    agenda = an_agenda(LINUX, ALSO_LINUX, GPU)
    agenda.put(replace(LINUX, supply=Supply(LINUX.namespace, LINUX.supply.provisioners, effective_tags({"os": "mac"}))))
    agenda.take((), at(1))
    assert agenda.take([a_demand(os="linux")], at(2)) == uids(ALSO_LINUX)


def test_a_pool_that_is_gone_is_planned_no_more() -> None:
    agenda = an_agenda(LINUX, ALSO_LINUX, GPU)
    agenda.plan_in(LINUX.uid, 1, at(0))
    agenda.take([a_demand(os="linux")], at(0))
    for pool in (LINUX, ALSO_LINUX, GPU):
        agenda.discard(pool.uid)
        agenda.change(pool.uid)
    assert agenda.take([a_demand(os="linux"), a_demand(gpu="a100")], at(1)) == []
