"""Speak git's smart HTTP over urllib3, restricted to what a fetch from an untrusted server needs. Used by `fetch`.

dulwich implements the protocol and sends each request through this client. It decides where requests may go (http and
https, redirects only within the same host and never from https back to http), who gets the credentials (only the URL's own
origin), how much may be received, and what a refusal means. Reads no configuration of git; certificates and
proxies come from the environment.
"""

from collections.abc import Callable, Iterator
from urllib.parse import SplitResult, urljoin, urlsplit

import urllib3
from dulwich.client import AbstractHttpGitClient, default_user_agent_string
from dulwich.errors import GitProtocolError
from typing_extensions import override

from provisioner_operator.daemon.git.connections import open_pool
from provisioner_operator.daemon.git.request import SCHEMES, FetchError, GitRequest

_MOST_REDIRECTS = 5
_REDIRECTED = frozenset({301, 302, 303, 307, 308})
_DEFAULT_PORTS = {"http": 80, "https": 443}
_ADVERTISEMENT = "application/x-git-upload-pack-advertisement"
_CHECK_NETWORK = (
    "Check the host's name, and that the daemon can reach it (proxy, network policy), then submit the job again."
)

Response = urllib3.BaseHTTPResponse


class GitTransport(AbstractHttpGitClient):
    """A client for one repository.

    Raises FetchError, or GitProtocolError when the server refuses the request or aborts: another kind of request
    may succeed.
    """

    def __init__(self, request: GitRequest) -> None:
        super().__init__(request.url)
        self._request = request
        self._received = 0
        self._pool = open_pool(request)

    @override
    def _get_url(self, path: str | bytes) -> str:
        del path  # there is one repository
        return self._base_url

    @override
    def _http_request(  # type: ignore[override] # dulwich's own class of answers is a private protocol
        self,
        url: str,
        headers: dict[str, str] | None = None,
        data: bytes | Iterator[bytes] | None = None,
        raise_for_status: bool = True,
    ) -> tuple[Response, Callable[[int], bytes]]:
        """Send one request, follow its redirects, and return the answer with the function that reads it."""
        del raise_for_status  # only clients of dumb servers set it
        if urlsplit(url).hostname != urlsplit(self._request.url).hostname:
            # The protocol lets a server name other places to take objects from.
            raise self._error(
                f"refers the fetch to another host, {_shown(urlsplit(url))}, which a fetch does not follow",
                "Ask the server's administrator.",
            )
        answered = url
        for _ in range(_MOST_REDIRECTS + 1):
            response = self._send(answered, headers or {}, data)
            if response.status not in _REDIRECTED:
                break
            response.close()
            answered = self._redirected(answered, response.headers.get("Location", ""))
            # After the check of its target, which the message would otherwise recommend.
            if data is not None:
                raise self._error(f"answers a request for objects with a redirect to {answered}", "Use that URL.")
        else:
            raise self._error(f"redirects more than {_MOST_REDIRECTS} times", "Use the final URL.")
        self._check_status(response, asked_for_objects=data is not None)
        # Without parameters, and in lower case: dulwich compares the types as text.
        content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if data is None and content_type != _ADVERTISEMENT:
            response.close()
            raise self._error(
                f"does not answer as a git server (it sent {content_type or 'no content type'})",
                "Check the URL: it must be the one that `git clone` takes, not that of a web page.",
            )
        # The attributes that dulwich reads of an answer, beside its content.
        response.content_type = content_type  # type: ignore[attr-defined]
        response.redirect_location = "" if answered == url else answered  # type: ignore[attr-defined]
        return response, lambda size=-1: self._read(response, size)

    def _send(self, url: str, headers: dict[str, str], data: bytes | Iterator[bytes] | None) -> Response:
        sent = {"User-Agent": default_user_agent_string(), **headers}
        credentials = self._request.credentials
        if credentials is not None and _origin(url) == _origin(self._request.url):
            sent |= urllib3.make_headers(basic_auth=f"{credentials.username}:{credentials.password}")
        try:
            return self._pool.request(
                "GET" if data is None else "POST",
                url,
                body=data,
                headers=sent,
                preload_content=False,
                redirect=False,
                retries=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from None

    def _read(self, response: Response, size: int) -> bytes:
        try:
            data = response.read(None if size < 0 else size)
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from None
        self._received += len(data)
        limit = self._request.limits.received_bytes
        if self._received > limit:
            raise FetchError(
                f"The fetch of {self._request.where} is too large: more than {limit:,} bytes were sent. Keep large files "
                "out of the repository, or take its Terraform files into one of their own."
            )
        return data

    def _redirected(self, url: str, location: str) -> str:
        target = urljoin(url, location)
        before, after = urlsplit(url), urlsplit(target)
        if (
            not location
            or after.scheme not in SCHEMES
            or after.hostname != before.hostname
            or (before.scheme == "https" and after.scheme != "https")
            or "@" in after.netloc
        ):
            raise self._error(
                f"redirects to {_shown(after)}, which a fetch does not follow",
                "Put the final URL into spec.source.git.url if you trust it.",
            )
        return target

    def _check_status(self, response: Response, *, asked_for_objects: bool) -> None:
        if response.status == 200:  # noqa: PLR2004 - HTTP's
            return
        response.close()
        credentials = self._request.credentials
        match response.status:
            case 401 if credentials is None:
                raise self._error("asks for credentials", "Name a Secret with them in spec.source.git.secretRef.")
            case 401 | 403:
                who = "anonymous access" if credentials is None else f"the credentials of Secret {credentials.secret}"
                raise FetchError(
                    f"Authentication failed: {self._request.url} refuses {who} (HTTP {response.status}). "
                    "Check that they are current and may read this repository."
                )
            case 404 | 410:
                known = "" if credentials else " If it is private, set spec.source.git.secretRef."
                raise FetchError(
                    f"Repository {self._request.url} was not found (HTTP {response.status}). "
                    f"Check spec.source.git.url.{known}"
                )
            case 407:
                raise self._error(
                    "is behind a proxy that asks for credentials", "Put them into the daemon's HTTPS_PROXY."
                )
            case status if asked_for_objects:
                raise GitProtocolError(f"HTTP {status}")
            case _:
                raise self._error(f"answered HTTP {response.status}", "Check the server, then submit the job again.")

    def _unreachable(self, error: urllib3.exceptions.HTTPError) -> FetchError | GitProtocolError:
        match error:
            case urllib3.exceptions.ProtocolError():
                return GitProtocolError(f"the connection ended: {error}")
            case urllib3.exceptions.NewConnectionError():  # urllib3 counts it among the timeouts
                return self._error(f"cannot be reached ({error})", _CHECK_NETWORK)
            case urllib3.exceptions.TimeoutError():
                silent = self._request.limits.silent_seconds
                return self._error(
                    f"sent nothing for {silent:g} s, so the fetch timed out",
                    "Check that the server works and that the daemon can reach it, then submit the job again.",
                )
            case urllib3.exceptions.SSLError():
                return self._error(
                    f"has a certificate that is not trusted ({error})",
                    "Set the daemon's SSL_CERT_FILE to the file of its certificate authority.",
                )
            case _:
                return self._error(f"cannot be reached ({error})", _CHECK_NETWORK)

    def _error(self, what: str, remedy: str) -> FetchError:
        return FetchError(f"Repository {self._request.url} {what}. {remedy}")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return (parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme))


def _shown(parts: SplitResult) -> str:
    """Return a server's URL for a message: without credentials and query, which may be secret."""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
