"""Reviews by the API server of who a user is and what this user may do, through the official client.

Made anew for each question; `cached_reviews` keeps the answers for a while.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Protocol

import aiohttp
from kubernetes.aio.client import (
    ApiClient,
    ApiException,
    AuthenticationV1Api,
    AuthorizationV1Api,
    Configuration,
    V1ResourceAttributes,
    V1SelfSubjectAccessReview,
    V1SelfSubjectAccessReviewSpec,
    V1SelfSubjectReview,
)

from provisioner_operator.kube import wire
from provisioner_operator.kube.connect import refuse_redirects
from provisioner_operator.kube.errors import UnreachableError, error_of
from provisioner_operator.web.access.caller import Question, User

REQUEST_SECONDS = 10.0
"""Longer than a working API server takes for a review; a page waits for it."""
ANONYMOUS = "system:anonymous"
"""The user that an API server takes for a request without a credential, where it admits such."""


class Reviews:
    """Asks the API server with the credential of a user, given as HTTP headers."""

    def __init__(
        self, server: str, connector: aiohttp.BaseConnector, user_agent: str, proxy: str | None = None
    ) -> None:
        """Share the connections of `connector`, whose TLS session decides whether a certificate is shown."""
        configuration = Configuration(host=server)
        configuration.proxy = proxy
        configuration.client_session_kwargs = {
            "connector": connector,
            # No .netrc and no proxy of the environment: only the user's own credential is ever sent.
            "trust_env": False,
            "cookie_jar": aiohttp.DummyCookieJar(),
            "middlewares": (refuse_redirects,),
        }
        self._client = ApiClient(configuration)
        self._client.user_agent = user_agent
        self._authentication = AuthenticationV1Api(self._client)
        self._authorization = AuthorizationV1Api(self._client)

    async def close(self) -> None:
        """Close the client's session; the connector stays open."""
        await self._client.close()  # type: ignore[no-untyped-call]

    async def user(self, credential: Mapping[str, str]) -> User | None:
        """Return the user of a credential, or None if the API server does not accept it. Raises KubeError."""
        try:
            review: V1SelfSubjectReview = await self._authentication.create_self_subject_review(
                V1SelfSubjectReview(), _headers=dict(credential), _request_timeout=REQUEST_SECONDS
            )
        except ApiException as error:
            if error.status == HTTPStatus.UNAUTHORIZED:
                return None
            raise _kube_error(error) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UnreachableError(f"review of a user: {error!r}") from error
        info = review.status.user_info if review.status else None
        if info is None or not info.username or info.username == ANONYMOUS:
            return None
        return User(info.username, tuple(info.groups or ()))

    async def allowed(self, credential: Mapping[str, str], question: Question) -> bool:
        """Return whether the user of a credential may take an action. Raises KubeError."""
        attributes = V1ResourceAttributes(
            verb=question.verb,
            group=question.group,
            resource=question.resource,
            subresource=question.subresource or None,
            namespace=question.namespace or None,
            name=question.name or None,
        )
        body = V1SelfSubjectAccessReview(spec=V1SelfSubjectAccessReviewSpec(resource_attributes=attributes))
        try:
            review: V1SelfSubjectAccessReview = await self._authorization.create_self_subject_access_review(
                body, _headers=dict(credential), _request_timeout=REQUEST_SECONDS
            )
        except ApiException as error:
            raise _kube_error(error) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UnreachableError(f"review of an access: {error!r}") from error
        return review.status is not None and review.status.allowed


def _kube_error(error: ApiException) -> Exception:
    try:
        status = wire.decode(str(error.body or "").encode())
    except (TypeError, ValueError):
        status = None
    retry_after = (error.headers or {}).get("Retry-After", "")
    return error_of(
        int(error.status or 500), status if isinstance(status, dict) else {"message": error.reason}, retry_after
    )


class Reviewer(Protocol):
    """Answers both questions about a credential."""

    async def user(self, credential: Mapping[str, str]) -> User | None:
        """Return the user of a credential, or None if it is not accepted."""

    async def allowed(self, credential: Mapping[str, str], question: Question) -> bool:
        """Return whether the user of a credential may take an action."""
