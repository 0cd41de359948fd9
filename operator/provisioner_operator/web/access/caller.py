"""The user who sends a request, and what this user may do.

Interface, for routes by the dependency `caller` (`web.dependencies`):

    caller.user          User
    caller.client        KubeClient with the user's own credential (never the server's), for writes, logs and details
    await caller.may(verb, resource, namespace, name="", subresource="") -> bool      cached access review; resource is a plural of our group
    await caller.visible(resource) -> frozenset[str]     namespaces whose objects of that kind the user may list
    caller.expires       float | None: time at which the token expires, in seconds since the epoch
"""

from dataclasses import dataclass
from uuid import NAMESPACE_URL, UUID, uuid5

from provisioner_operator.api.v1alpha1.names import GROUP


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
