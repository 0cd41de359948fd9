"""Run the server for one user on loopback, with the user's own kubeconfig: `kubectl provisioner web`."""

import secrets

import click

from provisioner_operator.api.v1alpha1.names import JOBS
from provisioner_operator.kube.errors import KubeError
from provisioner_operator.kube.logins.login import LoginError
from provisioner_operator.web.access.cached_reviews import CachedReviews
from provisioner_operator.web.access.caller import Question, User
from provisioner_operator.web.access.callers import Callers
from provisioner_operator.web.access.local_kubeconfig import LocalConnection, connect_locally
from provisioner_operator.web.access.local_session import LocalSession
from provisioner_operator.web.access.local_user import LocalAuthenticator
from provisioner_operator.web.access.reviews import Reviews
from provisioner_operator.web.context import WebContext
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.server import USER_AGENT, own_client, read_clocks, serve_context
from provisioner_operator.web.settings import Settings
from provisioner_operator.web.streams import Streams

LOOPBACK = "127.0.0.1"


def local_settings(*, port: int, read_only: bool, namespaces: tuple[str, ...]) -> Settings:
    """Return the settings of a local server, under a name of its own."""
    # Browsers send a cookie to every port of a host, so under 127.0.0.1 another user's server would receive it.
    name = f"provisioner-{secrets.token_hex(4)}.localhost"
    return Settings(
        http_host=LOOPBACK,
        http_port=port,
        allowed_hosts=(name,),
        namespaces=namespaces,
        read_only=read_only,
        log_format="text",
    )


async def serve_locally(settings: Settings, kubeconfig: str | None, context_name: str | None) -> None:
    """Serve until a signal asks to stop. Raises LoginError, OSError, TaskEndedError."""
    async with connect_locally(kubeconfig, context_name, user_agent=USER_AGENT) as connection:
        proxy = connection.credential.configuration.proxy
        reviews = Reviews(connection.server, connection.connector, USER_AGENT, proxy)
        try:
            user = await _check(connection, reviews, settings.namespaces)
            click.echo(f"Serving {connection.server} as {user.name}. Ctrl-C ends it.", err=True)
            context = _context(connection, reviews, settings)
            await serve_context(context, own_client(connection.session, connection.server), _print_address)
        finally:
            await reviews.close()


def _context(connection: LocalConnection, reviews: Reviews, settings: Settings) -> WebContext:
    index = ClusterIndex(read_clocks, settings.namespaces)
    session = LocalSession()
    cached = CachedReviews(reviews, lambda: read_clocks().monotonic)
    callers = Callers(connection.session, connection.server, cached, lambda: index.namespaces)
    return WebContext(
        index=index,
        access=LocalAuthenticator(session, callers, connection.credential.headers),
        settings=settings,
        clock=read_clocks,
        streams=Streams(read_clocks, settings.streams_per_user),
        session=session,
    )


def _print_address(context: WebContext, port: int) -> None:
    assert context.session is not None  # noqa: S101 - a local server has one
    code = context.session.code
    click.echo(f"http://{context.settings.allowed_hosts[0]}:{port}/open?code={code}")
    click.echo(
        f"This address works once. If your browser does not find it: http://{LOOPBACK}:{port}/open?code={code}",
        err=True,
    )


async def _check(connection: LocalConnection, reviews: Reviews, namespaces: tuple[str, ...]) -> User:
    """Return the user, who has to be able to read what is to be shown. Raises LoginError."""
    try:
        headers = await connection.credential.headers()
        user = await reviews.user(headers)
        if user is None:
            raise LoginError(f"The API server {connection.server} does not accept the kubeconfig's credential.")
        for namespace in namespaces or ("",):
            if not await reviews.allowed(headers, Question("list", JOBS, namespace)):
                where = f"in namespace {namespace}" if namespace else "in all namespaces: name yours with -n"
                raise LoginError(f"{user.name} may not list {JOBS} {where}.")
    except KubeError as error:
        raise LoginError(str(error)) from error
    return user
