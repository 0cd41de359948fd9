"""The object that a user chose, by its identity: a later object of the same name is another one."""

from dataclasses import dataclass
from typing import Protocol

from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import NotFoundError
from provisioner_operator.kube.object_states import Body, meta_of


class Target(Protocol):
    """Identity of an object. Rows of the index and records of the core have one."""

    @property
    def namespace(self) -> str:
        """Its namespace."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def uid(self) -> str:
        """Its uid."""


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """Identity of an object of which no more is known."""

    namespace: str
    name: str
    uid: str


async def read_target(client: KubeClient, path: str, target: Target) -> Body:
    """Return the object as it is now. Raises NotFoundError also if another one has its name."""
    body = await client.get(path)
    if meta_of(body).uid != target.uid:
        raise NotFoundError(404, f"{target.name} of namespace {target.namespace} was deleted, and created anew")
    return body
