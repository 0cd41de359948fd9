"""Requests of the simulated controller for its decisions, with what is the same for all: outages, denials, the end."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from provisioner_operator.core.model.backoff import Refusal
from provisioner_operator.core.model.decision import Decision
from provisioner_operator.core.model.instant import Instant
from simulation.network import DENIAL, RETRY_SECONDS, Answer, Call, Client, Network, Result
from support.json_patches import Body

if TYPE_CHECKING:
    from simulation.controller import SimulatedController
    from simulation.invariants import Invariants


class Reconciler(Protocol):
    """One of the product's reconcilers, with a type of decision of its own."""

    def settled(self, decision: Any, now: Instant) -> None: ...
    def refused(self, decision: Any, refusal: Refusal, now: Instant) -> object: ...


def _a_while() -> float:
    return RETRY_SECONDS


class Exchange:
    """Requests for the decisions of one reconciler. While the controller lives, each decision is settled once."""

    def __init__(
        self,
        controller: "SimulatedController",
        network: Network,
        invariants: "Invariants",
        reconciler: Reconciler,
    ) -> None:
        self._controller = controller
        self._network = network
        self._invariants = invariants
        self._reconciler = reconciler

    def read(self, decision: Decision, call: Call, then: Callable[[Body | None], None]) -> None:
        """Read for the decision, which is settled after `then` has observed what was read."""

        def observed(_: Result, body: Body | None) -> None:
            then(body)
            self.settle(decision)

        self.ask(decision, call, observed)

    def read_all(self, decision: Decision, call: Call, then: Callable[[], None]) -> None:
        """Read several objects for the decision; without what `call` reads, the decision is refused."""

        def observed(result: Result, _: Body | None) -> None:
            if result is Result.GONE:
                self._refuse(decision)
            else:
                then()
                self.settle(decision)

        self.ask(decision, call, observed)

    def ask(self, decision: Decision, call: Call, then: Answer) -> None:
        """Read for the decision; `then` settles it, unless the server is unreachable."""
        self._send(self._controller, decision, call, then, _a_while)

    def write(self, decision: Decision, call: Call, then: Answer, pause: Callable[[], float] = _a_while) -> None:
        """Write for the decision; `then` settles it, unless the write is denied or the server unreachable."""

        def undenied(result: Result, body: Body | None) -> None:
            if result is Result.DENIED:
                self._refuse(decision)
            else:
                then(result, body)

        call = self._network.unless_denied(decision, call)
        self._send(self._controller.tenure, decision, call, undenied, pause)

    def settle(self, decision: Decision) -> None:
        """Let the reconciler decide anew about what this decision was about."""
        if self._controller.alive:
            self._reconciler.settled(decision, self._controller.now)
            self._controller.wake()

    def _refuse(self, decision: Decision) -> None:
        self._invariants.denied(decision, self._controller)
        self._reconciler.refused(decision, DENIAL, self._controller.now)
        self.settle(decision)

    def _send(self, client: Client, decision: Decision, call: Call, then: Answer, pause: Callable[[], float]) -> None:
        def answered(result: Result, body: Body | None) -> None:
            if not self._controller.alive:
                return
            if result is Result.UNREACHABLE:
                self._network.schedule.after(pause(), self.settle, decision)
            else:
                then(result, body)

        self._network.send(client, call, answered)
