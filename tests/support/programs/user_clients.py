"""Our own client of the API server for each user, made as the web server makes it: by a token, without a certificate."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import pytest

from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.connect import connect_for_users
from support.cluster.kubectl import Kubectl
from support.programs.web_server import WebUsers

T = TypeVar("T")
Act = Callable[[KubeClient], Awaitable[T]]


@dataclass(frozen=True, slots=True)
class UserClients:
    """Users of one namespace, each with a ClusterRole there."""

    users: WebUsers

    def name(self, user: str) -> str:
        """Return the user's full name, as the API server knows it."""
        self.users.token(user)
        return self.users.name(user)

    def act(self, user: str, act: Act[T]) -> T:
        """Do something with the user's client, and return the result."""
        headers = {"Authorization": f"Bearer {self.users.token(user)}"}

        async def main() -> T:
            async with connect_for_users(user_agent="test") as connection:
                return await act(KubeClient(connection.session, connection.server, headers))

        return asyncio.run(main())


@contextmanager
def user_clients(admin: Kubectl, roles: Mapping[str, str]) -> Iterator[UserClients]:
    """Provide these users, by their ClusterRoles in the administrator's namespace, and others without any role."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("KUBECONFIG", str(admin.kubeconfig))
        yield UserClients(WebUsers(admin, "", roles))
