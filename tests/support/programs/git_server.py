"""Git server on loopback: dulwich's smart HTTP, with optional basic auth, failures and misbehavior."""

import base64
import contextlib
import io
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from dulwich.objects import ObjectID
from dulwich.refs import Ref
from dulwich.repo import Repo
from dulwich.server import Backend, UploadPackHandler
from dulwich.web import make_wsgi_chain
from typing_extensions import override

from support.programs.git_repository import Repository

_ADVERTISEMENT = "application/x-git-upload-pack-advertisement"


class _Opened(Repo):
    """Repository opened for one request."""

    gives_by_id = False

    @override
    def get_refs(self) -> dict[Ref, ObjectID]:
        refs = super().get_refs()
        if self.gives_by_id:
            refs |= {Ref(b"refs/by-id/" + each): each for each in self.object_store}
        return refs


class _ByIdUploadPack(UploadPackHandler):
    """Handler that serves any commit by its id, but advertises only refs."""

    @override
    def handle(self) -> None:
        assert isinstance(self.repo, _Opened)
        self.repo.gives_by_id = not self.advertise_refs
        super().handle()


Answer = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]


@dataclass(slots=True)
class GitServer:
    """Server of one repository. Tests can change its behavior at any time; it records all requests."""

    repository: Repository
    address: str = ""
    credentials: tuple[str, str] | None = None
    """Required credentials; none if None."""
    gives_by_id: bool = True
    content_type: str = "{}"
    """Form in which it sends the content types of its answers."""
    answers_objects: Answer | None = None
    """Replacement for the answer to a request for objects."""
    answers_refs: Answer | None = None
    """Replacement for the answer to the first request of a fetch."""
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)
    """Method, path and Authorization header of each request."""

    @property
    def url(self) -> str:
        """The repository's URL."""
        return f"{self.address}/repository.git"

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        login = environ.get("HTTP_AUTHORIZATION")
        self.requests.append((method, path, login))
        if self.credentials is not None and login != basic_auth(*self.credentials):
            start_response("401 Unauthorized", [("WWW-Authenticate", 'Basic realm="git"'), ("Content-Length", "0")])
            return []
        special = self.answers_refs if method == "GET" else self.answers_objects
        if special is not None:
            return special(environ, start_response)
        return _labeled(self._git(), self.content_type)(environ, start_response)

    def _git(self) -> WSGIApplication:
        return make_wsgi_chain(
            _OneRepository(self.repository.path),
            handlers={b"git-upload-pack": _ByIdUploadPack if self.gives_by_id else UploadPackHandler},
        )


class _OneRepository(Backend):
    def __init__(self, path: Path) -> None:
        self._path = path

    @override
    def open_repository(self, path: str | bytes) -> Repo:
        assert path in {"/repository.git", b"/repository.git"}
        return _Opened(str(self._path))


def basic_auth(username: str, password: str) -> str:
    """Return the value of the Authorization header."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def redirecting(location: str, status: str = "302 Found") -> Answer:
    """Answer with a redirect to this URL; `{path}` in it is replaced."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}"
        start_response(status, [("Location", location.replace("{path}", path)), ("Content-Length", "0")])
        return []

    return answer


def hanging(until: threading.Event) -> Answer:
    """Send nothing until the event is set."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        del environ
        until.wait(60)
        start_response("503 Service Unavailable", [("Content-Length", "0")])
        return []

    return answer


def dripping(until: threading.Event) -> Answer:
    """Advertise a long line, byte by byte."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        del environ
        start_response("200 OK", [("Content-Type", _ADVERTISEMENT)])
        yield b"fff0"
        while not until.wait(0.05):
            yield b"#"

    return answer


def flooding(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Advertise an endless list of refs."""
    del environ
    start_response("200 OK", [("Content-Type", _ADVERTISEMENT)])
    yield b"001e# service=git-upload-pack\n0000"
    for number in range(10_000_000):
        line = f"{number:040x} refs/heads/{number}\n"
        yield f"{len(line) + 4:04x}{line}".encode()


def pointing(elsewhere: str, commit: str) -> Answer:
    """Use version 2 of the protocol, and offer the objects at another URL."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "GET":
            start_response("200 OK", [("Content-Type", _ADVERTISEMENT)])
            return [_packet("version 2"), _packet("ls-refs"), _packet("fetch=shallow"), b"0000"]
        asked = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start_response("200 OK", [("Content-Type", "application/x-git-upload-pack-result")])
        if b"command=ls-refs" in asked:
            return [_packet(f"{commit} HEAD"), b"0000"]
        return [_packet("packfile-uris"), _packet(f"{elsewhere} sha1 {'0' * 40}"), b"0001", _packet("packfile")]

    return answer


def _packet(line: str) -> bytes:
    return f"{len(line) + 5:04x}{line}\n".encode()


def a_page(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with an HTML page."""
    del environ
    start_response("200 OK", [("Content-Type", "text/html")])
    return [b"<html>Log in</html>"]


def _labeled(answer: WSGIApplication, content_type: str) -> WSGIApplication:

    def labeling(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            changed = [
                (name, content_type.format(value) if name == "Content-Type" else value) for name, value in headers
            ]
            return start_response(status, changed, *rest)

        return answer(environ, start)

    return labeling


def failing(status: str) -> Answer:
    """Answer with this status."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        del environ
        start_response(status, [("Content-Length", "0")])
        return []

    return answer


class _Quiet(WSGIRequestHandler):
    @override
    def log_message(self, format: str, *args: object) -> None:
        pass

    @override
    def get_stderr(self) -> io.StringIO:
        """Discard messages about aborted requests."""
        return io.StringIO()


class _Threads(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False

    @override
    def shutdown_request(self, request: Any) -> None:
        """End TLS in order: git takes an answer without a length for complete only then."""
        if isinstance(request, ssl.SSLSocket):
            with contextlib.suppress(OSError, ValueError):
                request.unwrap()
        super().shutdown_request(request)

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that close the connection, which these tests provoke."""


@contextmanager
def serving(repository: Repository, *, tls: ssl.SSLContext | None = None) -> Iterator[GitServer]:
    """Serve the repository on a port of loopback, by https if there is a context for it."""
    git = GitServer(repository)
    with _Threads(("127.0.0.1", 0), _Quiet) as server:
        server.set_app(git)
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        git.address = f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield git
        finally:
            server.shutdown()
            thread.join()
