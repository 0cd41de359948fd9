"""The liveness of the decision loop: late when nobody heeds what is due, and only then."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import pytest

from provisioner_operator.controller import clock
from provisioner_operator.controller.loop import DecisionLoop
from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.telemetry.events import EventRecorder
from provisioner_operator.controller.telemetry.metrics import Metrics
from provisioner_operator.controller.write_gate import WriteGate
from provisioner_operator.controller.writes.families import families
from provisioner_operator.controller.writes.jobs import JobExecutor
from provisioner_operator.controller.writes.writer import Writer
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers
from provisioner_operator.kube.client import KubeClient
from support.builders.core import a_job, at

LONG = 120.0


class Controller:
    """The parts around a decision loop that nobody runs."""

    def __init__(self, session: aiohttp.ClientSession, *, leads: bool) -> None:
        client = KubeClient(session, "https://nowhere.invalid")
        reconcilers = Reconcilers.create("image")
        self.mirror = reconcilers.jobs
        metrics = Metrics(reconcilers, lambda: leads, lambda: leads)
        gate = WriteGate(1)
        recorder = EventRecorder(client, metrics, lambda: leads, gate)
        self.observer = Observer(reconcilers, metrics, recorder, lambda: leads)
        writer = Writer(
            families(client, self.observer, reconcilers),
            JobExecutor(client, self.observer),
            self.observer,
            metrics,
            lambda: 10.0 if leads else 0.0,
            gate,
            1,
        )
        self.loop = DecisionLoop(
            reconcilers, self.observer, writer, metrics, lambda: 1 if leads else None, lambda: None
        )


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> list[Instant]:
    """The time on the controller's clock: the last element."""
    shown = [at(0)]
    monkeypatch.setattr(clock, "read", lambda: shown[-1])
    return shown


@contextmanager
def a_controller(*, leads: bool = True) -> Iterator[Controller]:
    async def make() -> tuple[aiohttp.ClientSession, Controller]:
        session = aiohttp.ClientSession()
        return session, Controller(session, leads=leads)

    with asyncio.Runner() as runner:
        session, controller = runner.run(make())
        yield controller
        runner.run(session.close())


def test_a_loop_with_nothing_to_do_is_not_stuck(time: list[Instant]) -> None:
    with a_controller() as controller:
        time.append(at(LONG))
        assert not controller.loop.is_stuck


@pytest.mark.parametrize("leads", [True, False], ids=["leads", "stands by"])
def test_a_loop_that_does_not_heed_its_bell_is_stuck(leads: bool, time: list[Instant]) -> None:  # noqa: FBT001 - a parameter of pytest
    def is_stuck() -> bool:
        return controller.loop.is_stuck

    with a_controller(leads=leads) as controller:
        controller.observer.wake.set()
        assert not is_stuck()
        time.append(at(LONG))
        controller.observer.wake.set()  # it rings on; that is no new beginning
        assert is_stuck()
        controller.observer.wake.clear()
        assert not is_stuck()


def test_a_loop_that_misses_the_clock_of_a_job_is_stuck_if_it_leads(time: list[Instant]) -> None:
    for leads in (True, False):
        with a_controller(leads=leads) as controller:
            controller.mirror.observe_job(a_job("job", pending_timeout=30), at(0))
            assert list(controller.mirror.decide(at(0))) == []
            time.append(at(20))
            assert not controller.loop.is_stuck
            time.append(at(LONG))
            assert controller.loop.is_stuck is leads
