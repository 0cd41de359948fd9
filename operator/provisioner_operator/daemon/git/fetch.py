"""Brings one commit of a repository into a store of objects, with as little of its history as the server allows.

Theory of operation. What the server advertises says what `ref` is; a commit that is asked for by its id is simply asked
for, which many servers allow. One that refuses is asked for the ref's whole history, or, for want of a ref, everybody's,
and the commit is looked up in that. Only objects are fetched: nothing of a repository is ever run. Used by
`git_fetch_program`.
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
_PLACES = ("", "refs/heads/", "refs/tags/", "refs/")
"""Where a ref is looked for, in this order: a branch goes before a tag of the same name."""
_MOST_TAGS = 8
"""How many tags may stand between a ref and its commit."""
_BRANCHES_SHOWN = 5
_SHALLOW = 1

_Advertised = Mapping[Ref, ObjectID]
_Choose = Callable[[_Advertised], Sequence[ObjectID]]


def resolve(ref: str, advertised: _Advertised) -> ObjectID | None:
    """Find what a ref stands for: `HEAD`, a branch, a tag, or a whole name like `refs/heads/main`."""
    return next((found for place in _PLACES if (found := advertised.get(Ref(f"{place}{ref}".encode())))), None)


class GitFetch:
    """One fetch; what it receives goes into the store."""

    def __init__(self, request: GitRequest, store: DiskObjectStore) -> None:
        self._request = request
        self._store = store
        self._transport = GitTransport(request)

    def commit(self) -> Commit:
        """Fetch the commit that is asked for, with all its files. Raises FetchError."""
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
                f"Commit {wanted.decode()} was not found in {self._request.url}: its server does not give it by its id, and "
                f"the history of {self._request.ref} does not hold it. Check that it was pushed, and that the branch "
                "still has it."
            )
        return self._peel(wanted)

    def _histories(self, advertised: _Advertised) -> Sequence[ObjectID]:
        target = resolve(self._request.ref, advertised)
        if target is not None:
            return [target]
        return sorted({target for ref, target in advertised.items() if ref.startswith((b"refs/heads/", b"refs/tags/"))})

    def _receive(self, choose: _Choose, *, otherwise: _Choose) -> None:
        """Fetch what is chosen without its history, or else with it: not every server can leave it out."""
        try:
            self._receive_pack(choose, depth=_SHALLOW)
        except GitProtocolError:
            # Why it did not agree, each server says in its own way, if it does. What else it may be, the next try says.
            try:
                self._receive_pack(otherwise, depth=None)
            except GitProtocolError as error:
                said = " ".join(str(error).split()) or type(error).__name__
                raise FetchError(
                    f"The server of {self._request.url} broke off the fetch of {self._request.wanted} ({said}). "
                    "Look at the server's log, then submit the job again."
                ) from None

    def _receive_pack(self, choose: _Choose, *, depth: int | None) -> None:
        def determine_wants(refs: _Advertised, depth: int | None = None) -> list[ObjectID]:
            del depth
            if any(len(target) != len(ZERO_SHA) for target in refs.values()):
                raise FetchError(
                    f"Repository {self._request.url} names its objects by SHA-256, which is not read. Use one of SHA-1."
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
