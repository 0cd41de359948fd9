"""Client of the API server that answers from a script or for a store of objects, for tests of its callers.

Without a store, a request for which the script has no answer fails the test. The answers of a real API server are for
the tests that run one.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override

from provisioner_operator.kube import wire
from provisioner_operator.kube.client import WATCH_READ_SECONDS, KubeClient
from support.object_store import ObjectStore, Refusal
from support.virtual_time import now

if TYPE_CHECKING:
    import aiohttp

Body = Mapping[str, Any]
Matcher = Callable[[str, str], bool]
"""Predicate on the method and path of a request."""


class Hang:
    """Answer that never comes, or watch that stays open."""


@dataclass(frozen=True)
class Slow:
    """Answer that takes some seconds."""

    seconds: float
    body: Body


@dataclass(frozen=True)
class Request:
    """Request that was sent, and its time."""

    method: str
    path: str
    body: Any = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    at: float = 0.0


Answer = Body | Exception | Refusal | Slow | Hang
Step = tuple[str, Body] | float | Exception | Hang
"""One step of a watch: an event, a pause in seconds, an error, or nothing any more."""


class ScriptedClient(KubeClient):
    """Answers each request with the next scripted answer for its method and path, or else for its store of objects."""

    def __init__(self, store: ObjectStore | None = None) -> None:
        super().__init__(cast("aiohttp.ClientSession", None), "https://scripted.invalid")
        self.requests: list[Request] = []
        self.refusals: dict[str, tuple[Matcher, Refusal]] = {}
        """Refused requests, by a name of the test's choice."""
        self.delay = 0.0
        """Seconds to each answer."""
        self.slow: tuple[Matcher, float] | None = None
        """Requests whose answers take longer, in seconds."""
        self._store = store
        self._answers: dict[tuple[str, str], deque[Answer]] = {}
        self._watches: dict[str, deque[tuple[Step, ...]]] = {}
        self._texts: dict[str, deque[tuple[str | float | Exception | Hang, ...]]] = {}

    def answers(self, method: str, path: str, *answers: Answer) -> None:
        """Add answers to requests; the last one is repeated."""
        self._answers.setdefault((method, path), deque()).extend(answers)

    def watched(self, path: str, *steps: Step) -> None:
        """Add a watch of a path, which ends after its steps. After the last watch, further ones stay silent."""
        self._watches.setdefault(path, deque()).append(steps)

    def reads(self, path: str, *steps: str | float | Exception | Hang) -> None:
        """Add a text of a path, which ends after its lines and pauses. After the last text, further ones stay silent."""
        self._texts.setdefault(path, deque()).append(steps)

    def sent(self, method: str, path: str | None = None) -> list[Request]:
        """Return the requests of a method that were sent so far, of one path or of all."""
        return [each for each in self.requests if each.method == method and path in (None, each.path)]

    def times(self, method: str, part: str = "") -> list[float]:
        """Return the times of the requests of a method that have this part in their path."""
        return [each.at for each in self.sent(method) if part in each.path]

    def count(self, method: str, part: str = "") -> int:
        """Return the number of such requests."""
        return len(self.times(method, part))

    @override
    async def _send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        content_type: str = "application/json",
        parameters: Mapping[str, str] | None = None,
        has_tests: bool = False,
        longest: int | None = None,
    ) -> bytes:
        request = Request(method, path, body, dict(parameters or {}), now())
        self.requests.append(request)
        is_slow = self.slow is not None and self.slow[0](method, path)
        if seconds := self.slow[1] if self.slow is not None and is_slow else self.delay:
            await asyncio.sleep(seconds)
        match self._answer(request, content_type):
            case Hang():
                await asyncio.Event().wait()
                raise AssertionError("this answer never comes")
            case Slow(seconds, slow_body):
                await asyncio.sleep(seconds)
                return wire.encode(slow_body)
            case Refusal() as refusal:
                raise refusal.error(has_tests=has_tests)
            case Exception() as error:
                raise error
            case answer:
                return wire.encode(answer)

    def _answer(self, request: Request, content_type: str) -> Answer:
        for matches, refusal in self.refusals.values():
            if matches(request.method, request.path):
                return refusal
        script = self._answers.get((request.method, request.path))
        if script is not None:
            return script.popleft() if len(script) > 1 else script[0]
        assert self._store is not None, f"no answer to {request}"
        return self._store.answer(request.method, request.path, request.body, content_type, request.parameters)

    @override
    async def watch(
        self, path: str, *, resource_version: str, field_selector: str | None = None
    ) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        parameters = {"resourceVersion": resource_version, "fieldSelector": field_selector or ""}
        self.requests.append(Request("WATCH", path, None, parameters, now()))
        script = self._watches.get(path)
        for step in script.popleft() if script else (Hang(),):
            match step:
                case (str() as kind, body):
                    yield kind, dict(body)
                case Hang():
                    await asyncio.Event().wait()
                case Exception():
                    raise step
                case float() | int():
                    await asyncio.sleep(step)

    @override
    async def lines(
        self, path: str, parameters: Mapping[str, str], *, quiet_seconds: float = WATCH_READ_SECONDS
    ) -> AsyncGenerator[str, None]:
        self.requests.append(Request("READ", path, None, dict(parameters), now()))
        script = self._texts.get(path)
        for step in script.popleft() if script else (Hang(),):
            match step:
                case str():
                    yield step
                case Hang():
                    await asyncio.Event().wait()
                case Exception():
                    raise step
                case float() | int():
                    await asyncio.sleep(step)


def an_object(name: str = "one", *, version: int = 1, **fields: Any) -> dict[str, Any]:
    """Return an object of no particular kind."""
    meta = {"namespace": "acme", "name": name, "uid": f"uid-of-{name}", "resourceVersion": str(version)}
    return {"metadata": meta, **fields}


def a_page(*items: Body, version: int = 10, following: str | None = None) -> dict[str, Any]:
    """Return a page of a list; `following` is the token of the next one."""
    meta = {"resourceVersion": str(version)} | ({"continue": following} if following else {})
    return {"metadata": meta, "items": list(items)}
