"""Git repositories and a real server of them on loopback: dulwich's smart HTTP, with basic auth and bad manners in front."""

import base64
import io
import socketserver
import ssl
import stat
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from dulwich.objects import Blob, Commit, ObjectID, Tag, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo
from dulwich.server import Backend, UploadPackHandler
from dulwich.web import make_wsgi_chain
from typing_extensions import override

EPOCH = 1_767_225_600
PERSON = b"A Person <person@example.com>"
GITLINK = 0o160000
_ADVERTISEMENT = "application/x-git-upload-pack-advertisement"


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link in a repository."""

    target: str


@dataclass(frozen=True, slots=True)
class Submodule:
    """An entry that names a commit of another repository."""

    commit: str = "a" * 40


Entry = str | bytes | Link | Submodule
Folder = Mapping[str, "Entry | Folder"]


class Repository:
    """A bare repository in a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        Repo.init_bare(str(path), mkdir=True).close()

    def commit(self, files: Folder, branch: str = "main") -> str:
        """Commit exactly these files on top of a branch and return the commit's id."""
        ref = Ref(f"refs/heads/{branch}".encode())
        with Repo(str(self.path)) as repo:
            parent = repo.get_refs().get(ref)
            commit = Commit()
            commit.tree = _write(repo, files, {})
            commit.parents = [] if parent is None else [parent]
            commit.author = commit.committer = PERSON
            commit.author_time = commit.commit_time = EPOCH
            commit.author_timezone = commit.commit_timezone = 0
            commit.message = b"A change"
            repo.object_store.add_object(commit)
            repo.refs[ref] = commit.id
            repo.refs.set_symbolic_ref(Ref(b"HEAD"), Ref(b"refs/heads/main"))
        return commit.id.decode()

    def tag(self, name: str, commit: str) -> None:
        """Make an annotated tag."""
        tag = Tag()
        tag.object = (Commit, ObjectID(commit.encode()))
        tag.name = name.encode()
        tag.tagger, tag.tag_time, tag.tag_timezone, tag.message = PERSON, EPOCH, 0, b"A release"
        with Repo(str(self.path)) as repo:
            repo.object_store.add_object(tag)
            repo.refs[Ref(f"refs/tags/{name}".encode())] = tag.id

    def delete_branch(self, branch: str) -> None:
        """Delete a branch; its commits stay."""
        with Repo(str(self.path)) as repo:
            del repo.refs[Ref(f"refs/heads/{branch}".encode())]


def _write(repo: Repo, files: Folder, written: dict[int, ObjectID]) -> ObjectID:
    """Write a folder; one that stands in several places is written once."""
    if id(files) in written:
        return written[id(files)]
    tree = Tree()
    for name, entry in files.items():
        match entry:
            case Submodule():
                mode, target = GITLINK, ObjectID(entry.commit.encode())
            case Link():
                mode, target = stat.S_IFLNK, _blob(repo, entry.target.encode())
            case str() | bytes():
                mode, target = 0o100644, _blob(repo, entry.encode() if isinstance(entry, str) else entry)
            case _:
                mode, target = stat.S_IFDIR, _write(repo, entry, written)
        tree.add(name.encode(), mode, target)
    repo.object_store.add_object(tree)
    return written.setdefault(id(files), tree.id)


def _blob(repo: Repo, content: bytes) -> ObjectID:
    blob = Blob.from_string(content)
    repo.object_store.add_object(blob)
    return blob.id


class _Opened(Repo):
    """A repository as the server opens it for one request."""

    gives_by_id = False

    @override
    def get_refs(self) -> dict[Ref, ObjectID]:
        refs = super().get_refs()
        if self.gives_by_id:
            refs |= {Ref(b"refs/by-id/" + each): each for each in self.object_store}
        return refs


class _ByIdUploadPack(UploadPackHandler):
    """Gives any commit by its id, and advertises no more than others."""

    @override
    def handle(self) -> None:
        assert isinstance(self.repo, _Opened)
        self.repo.gives_by_id = not self.advertise_refs
        super().handle()


Answer = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]


@dataclass(slots=True)
class GitServer:
    """A server of one repository. Change its manners at any time; it remembers who asked for what."""

    repository: Repository
    address: str = ""
    credentials: tuple[str, str] | None = None
    """Who may read; everybody if None."""
    gives_by_id: bool = True
    answers_objects: Answer | None = None
    """Answers requests for objects instead of git."""
    answers_refs: Answer | None = None
    """Answers the first request of a fetch instead of git."""
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)
    """Method, path and Authorization of each."""

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
        return self._git()(environ, start_response)

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
    """The header that says so."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def redirecting(location: str, status: str = "302 Found") -> Answer:
    """Answer with a redirect to this URL; `{path}` in it is replaced."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}"
        start_response(status, [("Location", location.replace("{path}", path)), ("Content-Length", "0")])
        return []

    return answer


def hanging(until: threading.Event) -> Answer:
    """Say nothing until the event is set."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        del environ
        until.wait(60)
        start_response("503 Service Unavailable", [("Content-Length", "0")])
        return []

    return answer


def dripping(until: threading.Event) -> Answer:
    """Advertise a long line, a byte now and then."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        del environ
        start_response("200 OK", [("Content-Type", _ADVERTISEMENT)])
        yield b"fff0"
        while not until.wait(0.05):
            yield b"#"

    return answer


def flooding(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Advertise refs without an end."""
    del environ
    start_response("200 OK", [("Content-Type", _ADVERTISEMENT)])
    yield b"001e# service=git-upload-pack\n0000"
    for number in range(10_000_000):
        line = f"{number:040x} refs/heads/{number}\n"
        yield f"{len(line) + 4:04x}{line}".encode()


def pointing(elsewhere: str, commit: str) -> Answer:
    """Speak version 2 of the protocol, and offer the objects at another URL."""

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
    """Answer with a page for people."""
    del environ
    start_response("200 OK", [("Content-Type", "text/html")])
    return [b"<html>Log in</html>"]


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
        """What the server says of a request that it breaks off, nobody asked for."""
        return io.StringIO()


class _Threads(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what these tests are about."""


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
