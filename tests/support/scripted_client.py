"""Client of the API server that answers from a script, for tests of its callers.

It knows nothing of Kubernetes: no object is stored, and a request for which the script has no answer fails the test. How
a real API server answers is for the tests that run one.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override

from provisioner_operator.kube import wire
from provisioner_operator.kube.client import WATCH_READ_SECONDS, KubeClient
from support.virtual_time import now

if TYPE_CHECKING:
    import aiohttp

Body = Mapping[str, Any]


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


Answer = Body | Exception | Slow | Hang
Step = tuple[str, Body] | float | Exception | Hang
"""One step of a watch: an event, a pause in seconds, an error, or nothing any more."""


class ScriptedClient(KubeClient):
    """Answers each request with the next scripted answer for its method and path; the last one is repeated."""

    def __init__(self) -> None:
        super().__init__(cast("aiohttp.ClientSession", None), "https://scripted.invalid")
        self.requests: list[Request] = []
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
        self.requests.append(Request(method, path, body, dict(parameters or {}), now()))
        script = self._answers[method, path]
        answer = script.popleft() if len(script) > 1 else script[0]
        match answer:
            case Hang():
                await asyncio.Event().wait()
                raise AssertionError("this answer never comes")
            case Slow(seconds, slow_body):
                await asyncio.sleep(seconds)
                return wire.encode(slow_body)
            case Exception():
                raise answer
            case _:
                return wire.encode(answer)

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
