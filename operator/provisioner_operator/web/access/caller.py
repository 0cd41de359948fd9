"""The user who sends a request, and what this user may do.

Interface, for routes by the dependency `CallerOf` (`web.dependencies`):

    caller.user          User
    caller.client        KubeClient with the user's own credential (never the server's), for writes, logs and details
    await caller.may(verb, resource, namespace, name="", subresource="") -> bool      cached access review; resource is a plural of our group
    await caller.visible(resource, within) -> frozenset[str]     namespaces whose objects of that kind the user may list
    await caller.allowed_in(verb, resource, namespaces) -> frozenset[str]     those of them in which the user may act
    caller.expires       float | None: time at which the token expires, in seconds since the epoch
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from provisioner_operator.api.v1alpha1.names import GROUP
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.web.access.single_flight import SingleFlight


@dataclass(frozen=True, slots=True)
class User:
    """A user as the API server authenticates it."""

    name: str
    groups: tuple[str, ...] = ()

    @property
    def id(self) -> UUID:
        """UUID that Coder's clients know the user by."""
        return user_id(self.name)


def user_id(name: str) -> UUID:
    """Return the UUID of the user of this name."""
    return uuid5(NAMESPACE_URL, f"{GROUP}/users/{name}")


class Question(NamedTuple):
    """An action that a user may or may not take; an empty namespace or name means all of them."""

    verb: str
    resource: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    group: str = GROUP


@dataclass(frozen=True, slots=True)
class Caller:
    """The user who sends a request, for the time of this request or stream."""

    user: User
    client: KubeClient
    """Acts with the user's own credential: for writes, logs and details."""
    expires: float | None
    """Time at which the credential expires, in seconds since the epoch; None if it does not say."""
    key: str
    """Digest of the credential."""
    review: Callable[[Question], Awaitable[bool]]
    """Asks the API server, or the answers of the last seconds. Raises KubeError."""
    namespaces: Callable[[], Collection[str]]
    """Names of all namespaces."""
    lists: SingleFlight[tuple[str, str], frozenset[str]] = field(default_factory=SingleFlight)
    """Questions for all namespaces under way, by credential and resource; shared by all requests of a server."""

    begin_review: Callable[[Question], None] = lambda _: None
    """Begins to ask the API server what is not known, for whoever will need the answer."""

    def foresee(self, verb: str, resources: Collection[str], namespace: str) -> None:
        """Begin to ask what will be needed, so that answers for which one waits in turn are fetched at the same time."""
        for resource in resources:
            self.begin_review(Question(verb, resource, namespace))

    async def may(
        self, verb: str, resource: str, namespace: str = "", name: str = "", subresource: str = "", group: str = GROUP
    ) -> bool:
        """Return whether the user may act on a resource. Raises KubeError if the API server does not answer."""
        return await self.review(Question(verb, resource, namespace, name, subresource, group))

    async def visible(self, resource: str, within: Collection[str] | None = None) -> frozenset[str]:
        """Return the namespaces whose objects of that kind the user may list, of all or of some. Raises KubeError.

        Asks about each of them, unless the user may list the kind everywhere: name the few that matter.
        """
        if within is not None:
            # Asked also about a namespace that does not exist: a quicker answer would tell which do.
            return (await self.allowed_in("list", resource, within)).intersection(self.namespaces())
        return await self.lists.answer(
            (self.key, resource), lambda: self.allowed_in("list", resource, self.namespaces())
        )

    async def allowed_in(self, verb: str, resource: str, namespaces: Collection[str]) -> frozenset[str]:
        """Return those of the namespaces in which the user may act on a kind. Raises KubeError."""
        names = sorted(namespaces)
        # Of a single one, the answer includes a right for all. Without a task for it, a known answer is there at once.
        if len(names) == 1:
            return frozenset(names) if await self.may(verb, resource, names[0]) else frozenset()
        if names and await self.may(verb, resource):
            return frozenset(names)
        answers = await asyncio.gather(*(self.may(verb, resource, each) for each in names))
        return frozenset(each for each, allowed in zip(names, answers, strict=True) if allowed)
