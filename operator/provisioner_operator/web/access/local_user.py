"""The one user of a local server, who acts with a kubeconfig: token, client certificate or credential plugin alike."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import HTTPConnection

from provisioner_operator.web.access.authentication import token_of
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.access.callers import Callers, Credential
from provisioner_operator.web.access.local_session import LocalSession
from provisioner_operator.web.access.tokens import Token
from provisioner_operator.web.problems import unauthenticated

_DIGEST = "local"
"""There is one user, whose credential may change while the server runs."""


class LocalAuthenticator:
    """Takes every request of the session for the kubeconfig's user."""

    def __init__(
        self, session: LocalSession, callers: Callers, headers: Callable[[], Awaitable[Mapping[str, str]]]
    ) -> None:
        """`headers` returns the user's credential, which is none of HTTP where a client certificate is used."""
        self._session = session
        self._callers = callers
        self._headers = headers

    async def caller(self, connection: HTTPConnection) -> Caller:
        """Return the user. Raises Problem (401) and KubeError."""
        if not self._session.admits(connection.headers):
            raise unauthenticated("The request is not of this server's session.")
        return await self._callers.of(Credential(await self._headers(), _DIGEST), connection)

    async def caller_with(self, token: Token, connection: HTTPConnection) -> Caller:
        """Refuse a login: the session has one user. Raises Problem (401)."""
        if token_of(connection.headers) != token:
            raise unauthenticated("This server has one user, whose kubeconfig it was started with.")
        return await self.caller(connection)
