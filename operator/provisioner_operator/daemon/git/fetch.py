"""Fetch one commit of a repository into an object store, with as little history as the server allows.

Theory of operation. A ref is resolved by the refs that the server advertises. A commit is requested by its id, which many
servers allow. If the server refuses, the whole history of the ref is fetched, or of all branches and tags if there is no
such ref, and the commit is looked up in it. Only objects are fetched: nothing in a repository is ever run. Used by
`fetch_program`.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from dulwich.errors import GitProtocolError
from dulwich.object_store import DiskObjectStore, ObjectStoreGraphWalker
from dulwich.objects import ZERO_SHA, Commit, ObjectID, Tag
from dulwich.refs import Ref

from provisioner_operator.daemon.git.request import FetchError, GitRequest
from provisioner_operator.daemon.git.transport import GitTransport

_COMMIT_ID = re.compile(r"[0-9a-f]{40}")
_PREFIXES = ("", "refs/heads/", "refs/tags/", "refs/")
"""The prefixes under which a ref is searched, in this order: a branch takes precedence over a tag of the same name."""
_MOST_TAGS = 8
"""The longest chain of tags between a ref and its commit."""
_BRANCHES_SHOWN = 5
_SHALLOW = 1

_Advertised = Mapping[Ref, ObjectID]
_Choose = Callable[[_Advertised], Sequence[ObjectID]]


def resolve(ref: str, advertised: _Advertised) -> ObjectID | None:
    """Return the object of a ref: `HEAD`, a branch, a tag, or a full name like `refs/heads/main`; None if there is none."""
    return next((found for prefix in _PREFIXES if (found := advertised.get(Ref(f"{prefix}{ref}".encode())))), None)


class GitFetch:
    """One fetch; received objects go into the store."""

    def __init__(self, request: GitRequest, store: DiskObjectStore) -> None:
        self._request = request
        self._store = store
        self._transport = GitTransport(request)

    def commit(self) -> Commit:
        """Fetch the requested commit, with all its files. Raises FetchError."""
        ref = self._request.ref
        wanted = self._request.commit or (ref if _COMMIT_ID.fullmatch(ref) else None)
        return self._fetch_ref() if wanted is None else self._fetch_id(ObjectID(wanted.encode()))

    def _fetch_ref(self) -> Commit:
        found: list[ObjectID] = []

        def choose(advertised: _Advertised) -> Sequence[ObjectID]:
            target = resolve(self._request.ref, advertised)
            if target is None:
                raise FetchError(_no_such_ref(self._request, advertised))
            found[:] = [target]
            return found

        self._receive(choose, otherwise=choose)
        return self._peel(found[0])

    def _fetch_id(self, wanted: ObjectID) -> Commit:
        self._receive(lambda _: [wanted], otherwise=self._histories)
        if wanted not in self._store:
            raise FetchError(
                f"Commit {wanted.decode()} was not found in {self._request.url}: its server does not serve it by its id, and "
                f"the history of {self._request.ref} does not contain it. Check that it was pushed, and that the branch "
                "still contains it."
            )
        return self._peel(wanted)

    def _histories(self, advertised: _Advertised) -> Sequence[ObjectID]:
        target = resolve(self._request.ref, advertised)
        if target is not None:
            return [target]
        return sorted({target for ref, target in advertised.items() if ref.startswith((b"refs/heads/", b"refs/tags/"))})

    def _receive(self, choose: _Choose, *, otherwise: _Choose) -> None:
        """Fetch the chosen objects without their history, or, if the server cannot do that, with it."""
        try:
            self._receive_pack(choose, depth=_SHALLOW)
        except GitProtocolError:
            # Servers word the reason differently, or omit it. If it is another reason, the second request fails too.
            try:
                self._receive_pack(otherwise, depth=None)
            except GitProtocolError as error:
                reason = " ".join(str(error).split()) or type(error).__name__
                raise FetchError(
                    f"The server of {self._request.url} aborted the fetch of {self._request.wanted} ({reason}). "
                    "Check the server's log, then submit the job again."
                ) from None

    def _receive_pack(self, choose: _Choose, *, depth: int | None) -> None:
        def determine_wants(refs: _Advertised, depth: int | None = None) -> list[ObjectID]:
            del depth
            if any(len(target) != len(ZERO_SHA) for target in refs.values()):
                raise FetchError(
                    f"Repository {self._request.url} uses SHA-256 object names, which are not supported. Use a SHA-1 repository."
                )
            return list(choose(refs))

        pack, commit, abort = self._store.add_pack()
        try:
            walker = ObjectStoreGraphWalker([], lambda _: [])
            self._transport.fetch_pack("", determine_wants, walker, pack.write, depth=depth)
        except BaseException:
            abort()
            raise
        commit()

    def _peel(self, target: ObjectID) -> Commit:
        """Follow annotated tags to the commit."""
        found = self._store[target]
        for _ in range(_MOST_TAGS):
            if not isinstance(found, Tag):
                break
            found = self._store[found.object[1]]
        if not isinstance(found, Commit):
            raise FetchError(
                f"{self._request.where} is not a commit but a {found.type_name.decode()}. Name a branch, a tag or a commit."
            )
        return found


def _no_such_ref(request: GitRequest, advertised: _Advertised) -> str:
    if not advertised:
        return f"Repository {request.url} is empty. Push the Terraform files to it."
    branches = sorted(ref.removeprefix(b"refs/heads/") for ref in advertised if ref.startswith(b"refs/heads/"))
    shown = ", ".join(branch.decode(errors="replace") for branch in branches[:_BRANCHES_SHOWN])
    more = ", …" if len(branches) > _BRANCHES_SHOWN else ""
    return (
        f"Ref {request.ref} was not found in {request.url}: it has no branch and no tag of that name. "
        f"Its branches: {shown}{more}. Correct spec.source.git.ref."
    )
