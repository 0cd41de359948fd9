"""Network between the API server and its clients: delays, lost messages, partitions, outages, and watches."""

from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from random import Random
from typing import Protocol, cast

from provisioner_operator.core.model.backoff import Refusal
from simulation.schedule import Action, Schedule
from simulation.server import JOB, DeniedError, GoneError, Server
from support.json_patches import Body, RefusedError

RETRY_SECONDS = 3.0
DENIAL = Refusal("Denied", "a policy of the simulation")


class Result(Enum):
    """Result of a request, as its client sees it."""

    DONE = auto()
    REFUSED = auto()
    GONE = auto()
    DENIED = auto()
    """A policy of the cluster, or a missing right."""
    UNREACHABLE = auto()


class Client(Protocol):
    """Sender of requests; `connected` is false while it is partitioned or dead."""

    @property
    def connected(self) -> bool: ...

    def heard(self, *, answered: bool) -> None:
        """Learn that a request was answered, or was not."""


Call = Callable[[], Body | None]
Answer = Callable[[Result, Body | None], None]


class Network:
    """Transport of requests and answers."""

    def __init__(
        self, schedule: Schedule, random: Random, server: Server, failure_rate: float, *, is_calm: bool
    ) -> None:
        """`is_calm` if there are no outages: the times of answers, which tell their length, are not kept then."""
        self.is_calm = is_calm
        self.schedule = schedule
        self.random = random
        self.server = server
        self.failure_rate = failure_rate
        self.up = True
        self.up_since = 0.0
        self.denied: set[str] = set()
        """Kinds of decisions that are currently refused, for all objects."""

    def delay(self) -> float:
        """Return a message's delay: usually short, sometimes seconds, very rarely half a minute."""
        chance = self.random.random()
        if chance > 0.999 and self.failure_rate:
            return 30 * self.random.random()
        return 0.01 + 0.2 * chance if chance < 0.95 else 0.2 + 60 * (chance - 0.95) * self.failure_rate * 10

    def send(self, client: Client, call: Call, answer: Answer) -> None:
        """Schedule `call` at the server and then `answer` at the client; either message may get lost."""
        self.schedule.after(self.delay(), self._arrive, client, call, answer)

    def break_connections(self) -> None:
        """Lose all requests and answers that are under way."""

        def lose(action: Action, arguments: tuple[object, ...]) -> tuple[Action, tuple[object, ...]]:
            answer = {self._arrive: 2, self._return: 1}.get(action)
            if answer is None:
                return action, arguments
            return cast("Action", arguments[answer]), (Result.UNREACHABLE, None)

        self.schedule.replace(lose)

    def unless_denied(self, decision: object, call: Call) -> Call:
        """Return the call, which is refused if decisions of its kind are when it arrives."""

        def attempt() -> Body | None:
            if type(decision).__name__ in self.denied:
                raise DeniedError
            return call()

        return attempt

    def _arrive(self, client: Client, call: Call, answer: Answer) -> None:
        if not self.up or not client.connected or self.random.random() < self.failure_rate:
            client.heard(answered=False)
            self.schedule.after(self.delay(), answer, Result.UNREACHABLE, None)
            return
        body: Body | None = None
        result = Result.DONE
        try:
            body = call()
        except RefusedError:
            result = Result.REFUSED
        except GoneError:
            result = Result.GONE
        except DeniedError:
            result = Result.DENIED
        self.schedule.after(self.delay(), self._return, client, answer, result, body)

    def _return(self, client: Client, answer: Answer, result: Result, body: Body | None) -> None:
        if not self.up or not client.connected or self.random.random() < self.failure_rate:
            result, body = Result.UNREACHABLE, None
        answer(result, body)
        client.heard(answered=result is not Result.UNREACHABLE)


Event = tuple[Body | None, Body | None]
Selector = Callable[[Body], bool]


class Watch:
    """Watch of one client: each object's changes in order, but late, sometimes coalesced, sometimes repeated.

    As with a field selector, an object appears or disappears when it begins or ceases to match. `handle` gets the old and
    the new object; the new one is None when it was deleted or no longer matches.
    """

    def __init__(
        self,
        network: Network,
        client: Client,
        kinds: tuple[str, ...],
        selects: Selector,
        handle: Callable[[Event], None],
    ) -> None:
        self._network = network
        self._client = client
        self._selects = selects
        self._handle = handle
        self._coming: dict[str, deque[Event]] = {}
        self._latest: dict[str, float] = {}
        self._closed = False
        self._told: dict[str, Event] = {}
        """Last delivered version of each object."""
        self.stalled: tuple[str, ...] = ()
        """Kinds whose events are not delivered although requests succeed, like a connection that died unnoticed."""
        self._kinds = kinds
        self._ended: set[str] = set()
        """Kinds that it does not follow until they are listed anew."""
        for kind in kinds:
            network.server.listeners[kind].append(self._changed)

    def close(self) -> None:
        self._closed = True
        for kind in self._kinds:
            self._network.server.listeners[kind].remove(self._changed)

    def end(self, kind: str, *, loses: bool) -> None:
        """Follow a kind no longer, and deliver nothing more of it if it `loses` what is on its way."""
        self._ended.add(kind)
        for coming in self._coming.values() if loses else ():
            if coming and _kind(coming[0]) == kind:
                coming.clear()
        for uid in [uid for uid, event in self._told.items() if _kind(event) == kind]:
            del self._told[uid]

    def resume(self, kind: str) -> None:
        """Follow a kind again, which is being listed."""
        self._ended.discard(kind)

    def _changed(self, old: Body | None, new: Body | None) -> None:
        if (new or old or {})["kind"] in self._ended:
            return
        before = old if old is not None and self._selects(old) else None
        after = new if new is not None and self._selects(new) else None
        if before is None and after is None:
            return
        uid = (new or old or {})["metadata"]["uid"]
        network, schedule = self._network, self._network.schedule
        coming = self._coming.setdefault(uid, deque())
        if coming and network.random.random() < network.failure_rate * 3:
            coming[-1] = _joined(coming[-1], (before, after))
            return
        coming.append((before, after))
        at = max(self._latest.get(uid, 0.0), schedule.now + network.delay())
        self._latest[uid] = at
        schedule.after(at - schedule.now, self._deliver, uid)

    def _deliver(self, uid: str) -> None:
        network = self._network
        coming = self._coming[uid]
        if self._closed or not coming:
            return
        if not network.up or not self._client.connected or _kind(coming[0]) in self.stalled:
            if len(coming) > 1:  # a client that reconnects lists, so it sees only the current state
                latest = _joined(coming[0], coming[-1])
                coming.clear()
                coming.append(latest)
            network.schedule.after(RETRY_SECONDS * (0.5 + network.random.random()), self._deliver, uid)
            return
        event = coming.popleft()
        if event == (None, None):
            return
        self._handle(event)
        self._told[uid] = event
        if event[1] is not None and network.random.random() < network.failure_rate / 2:
            network.schedule.after(network.delay(), self._repeat, uid, event)

    def _repeat(self, uid: str, event: Event) -> None:
        # A client that reconnects may see the current state again; a watch never goes back in time.
        if not self._closed and self._told.get(uid) is event:
            self._handle(event)


def _joined(first: Event, last: Event) -> Event:
    """Return the change that a list shows instead of these; of a job that is gone it shows no last state."""
    old, new = first[0], last[1]
    if old is None or new is not None or old["kind"] != JOB:
        return (old, new)
    return ({key: value for key, value in old.items() if key != "status"}, None)


def _kind(event: Event) -> str | None:
    body = event[1] or event[0]
    return None if body is None else str(body["kind"])
