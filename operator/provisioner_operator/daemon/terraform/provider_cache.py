"""Keep the providers that runs have installed, for later runs. Used by `provisioner`, around the stage `init`.

Terraform's own plugin cache must not be shared: `init` writes its entries in place, even those that another run executes. So each
run has a private one, filled with hard links from the store, and what its `init` has added enters the store by a rename. A run
that dies leaves nothing there, and the store may lose an entry while runs use it.

Two locks, both also between daemons that share a store. The index lock is shared while a run takes entries, and exclusive while
an entry comes or goes. The fetch lock only saves traffic: runs of a template that none of this daemon has initialized yet take
turns, so that the first of them fetches what the others find.
"""

import asyncio
import errno
import fcntl
import logging
import os
import shutil
import tempfile
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from hashlib import file_digest, sha256
from pathlib import Path

from provisioner_operator.daemon.execution.provisioner import Keep, Wait

WAITING = "Waiting while another run fetches providers."
WITHOUT_LOCK_FILE_VARIABLE = "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE"
LOCK_FILE = ".terraform.lock.hcl"
PRIVATE = ".provider-cache"
"""The run's own cache, in its directory."""
LARGEST = 4 * 2**30
"""Bytes that a store keeps: less than half of the smallest work volume of a pool's daemon."""
LONGEST_WAIT_SECONDS = 120.0
"""Time after which a run fetches for itself: another one's `init` may hang."""
POLL_SECONDS = 0.1
ABANDONED_SECONDS = 3600.0
"""Age at which an entry that was never finished is removed. Its writing takes seconds."""
MOST_SEEN = 10_000
"""Templates that are remembered; without a bound, jobs with code of their own would fill the memory."""

_ENTRY = "*/*/*/*/*"
"""Pattern of host, namespace, type, version and platform."""
_PACKAGE, _HASH = "package", "h1"
_CODE = (".tf", ".tf.json", ".tofu", ".tofu.json", LOCK_FILE)

logger = logging.getLogger(__name__)


class ProviderStore:
    """The providers in a directory, for all runs of one daemon or more."""

    def __init__(self, directory: Path, largest: int = LARGEST) -> None:
        self._directory = directory
        self._entries = directory / "packages"
        self._new = directory / ".new"
        self._largest = largest
        self._seen: set[str] = set()

    def open(self) -> None:
        """Make the directories if they are missing. Raises OSError, also if they belong to another user."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in (self._entries, self._new):
            path.mkdir(mode=0o700, exist_ok=True)
            # Whoever could write there could run programs as the daemon.
            if path.is_symlink() or path.lstat().st_uid != os.geteuid():
                raise PermissionError(errno.EPERM, "it belongs to another user", str(path))

    def take(self, target: Path, lock_text: str | None) -> None:
        """Give a run's cache the entries that its `init` accepts: all without a lock file, otherwise those that it lists.

        Terraform fetches an entry again that a lock file does not list, and would write over the one that is there.
        """
        with self._index(fcntl.LOCK_SH):
            for entry in self._entries.glob(_ENTRY):
                if lock_text is None or f'"{(entry / _HASH).read_text()}"' in lock_text:
                    _link_tree(entry / _PACKAGE, target / entry.relative_to(self._entries))

    def add(self, name: Path, package: Path) -> None:
        """Keep a provider of this name, or note that it was used."""
        try:
            os.utime(self._entries / name / _HASH)
        except FileNotFoundError:
            self._write(name, package)

    def _write(self, name: Path, package: Path) -> None:
        staged = Path(tempfile.mkdtemp(dir=self._new))
        try:
            _link_tree(package, staged / _PACKAGE)
            (staged / _HASH).write_text(_seal(staged / _PACKAGE))
            _sync(staged / _HASH)
            with self._index(fcntl.LOCK_EX):
                self._remove_abandoned()
                target = self._entries / name
                if target.exists() or not self._make_room(_size(staged)):
                    return
                target.parent.mkdir(parents=True, exist_ok=True)
                staged.rename(target)
                _sync(target.parent)
        finally:
            shutil.rmtree(staged, ignore_errors=True)

    def _make_room(self, size: int) -> bool:
        """Remove the entries that were not used for the longest time until the new one fits; return whether it does."""
        if size > self._largest:
            return False
        entries = sorted(self._entries.glob(_ENTRY), key=lambda each: (each / _HASH).stat().st_mtime)
        sizes = {entry: _size(entry) for entry in entries}
        total = sum(sizes.values())
        for entry in entries:
            if total + size <= self._largest:
                break
            total -= sizes[entry]
            # Whole or not at all, even if the daemon dies here.
            entry.rename(doomed := Path(tempfile.mkdtemp(dir=self._new)) / _PACKAGE)
            shutil.rmtree(doomed.parent, ignore_errors=True)
        return True

    def _remove_abandoned(self) -> None:
        for path in self._new.iterdir():
            if path.stat().st_mtime < time.time() - ABANDONED_SECONDS:
                shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def _index(self, kind: int) -> Iterator[None]:
        lock = self._open_lock("index")
        try:
            fcntl.flock(lock, kind)
            yield
        finally:
            os.close(lock)

    @asynccontextmanager
    async def turn(self, template: str, wait: Wait) -> AsyncIterator[Callable[[], None]]:
        """Wait while another run fetches, unless this template was initialized before; yields what notes that it was."""
        end = time.monotonic() + LONGEST_WAIT_SECONDS
        lock = self._open_lock("fetch")
        try:
            while template not in self._seen and not _try_lock(lock):
                if time.monotonic() > end or not await wait(WAITING):
                    break
                await asyncio.sleep(POLL_SECONDS)
            if template in self._seen:
                # A turn may have come together with the end of the one before.
                fcntl.flock(lock, fcntl.LOCK_UN)
            yield lambda: self._note(template)
        finally:
            os.close(lock)

    def _note(self, template: str) -> None:
        if len(self._seen) >= MOST_SEEN:
            self._seen.clear()
        self._seen.add(template)

    def _open_lock(self, name: str) -> int:
        path = self._directory / f".{name}.lock"
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


class RunCache:
    """The private cache of one run. Whatever fails here is logged, and costs the run no more than a download."""

    def __init__(self, store: ProviderStore, directory: Path, module: Path, own_files: tuple[str, ...]) -> None:
        self._store = store
        self._directory = directory
        self._module = module
        self._own_files = own_files
        self.path = directory / PRIVATE

    def settings(self) -> Mapping[str, str]:
        """Return the variables that let `init` use the cache for a template without a lock file, which has nothing to check."""
        return {} if os.path.lexists(self._module / LOCK_FILE) else {WITHOUT_LOCK_FILE_VARIABLE: "1"}

    @asynccontextmanager
    async def during_init(self, wait: Wait) -> AsyncIterator[Keep]:
        """Fill the cache, when it is the run's turn; yields what keeps the providers that `init` has installed."""
        async with AsyncExitStack() as stack:
            try:
                # Also before a further try: the one before may have left half a provider.
                await asyncio.to_thread(self._clear)
                await asyncio.to_thread(self._store.open)
                template = await asyncio.to_thread(self._digest)
                note = await stack.enter_async_context(self._store.turn(template, wait))
            except OSError as error:
                _warn(error)
                yield _keep_nothing
                return
            await asyncio.to_thread(self._fill)

            async def keep() -> None:
                await asyncio.to_thread(self._keep)
                note()

            yield keep

    def _clear(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir()

    def _fill(self) -> None:
        try:
            self._store.take(self.path, self._lock_text())
        except OSError as error:
            _warn(error)
            self._clear()

    def _lock_text(self) -> str | None:
        path = self._module / LOCK_FILE
        if not os.path.lexists(path):
            return None
        # A link may lead anywhere on the machine: nothing counts as listed.
        return "" if path.is_symlink() else path.read_text(errors="replace")

    def _keep(self) -> None:
        installed = self._module / ".terraform" / "providers"
        for name in [each.relative_to(installed) for each in installed.glob(_ENTRY)]:
            package = self.path / name
            # A link leads to a mirror on this machine.
            if package.is_symlink() or not package.is_dir():
                continue
            try:
                self._store.add(name, package)
            except OSError as error:
                _warn(error)

    def _digest(self) -> str:
        """Return the digest of the code that says which providers are needed."""
        digest = sha256(str(self._module.relative_to(self._directory)).encode())
        for path in sorted(self._directory.rglob("*")):
            if (
                path.name.endswith(_CODE)
                and path.name not in self._own_files
                and path.is_file()
                and not path.is_symlink()
            ):
                digest.update(f"\n{path.relative_to(self._directory)} ".encode(errors="surrogateescape"))
                digest.update(sha256(path.read_bytes()).digest())
        return digest.hexdigest()


async def _keep_nothing() -> None:
    return


def _warn(error: OSError) -> None:
    logger.warning("The cache of providers cannot be used, so that runs fetch them: %s", error)


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _link_tree(source: Path, target: Path) -> None:
    """Make the folder anew with hard links to the files, or copies if it is on another file system."""
    target.mkdir(parents=True)
    with os.scandir(source) as found:
        for each in found:
            if each.is_dir(follow_symlinks=False):
                _link_tree(source / each.name, target / each.name)
            elif each.is_file(follow_symlinks=False):
                _link(source / each.name, target / each.name)
            else:
                raise OSError(errno.EINVAL, "A provider may only consist of files and folders", each.path)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP}:
            raise
        shutil.copy2(source, target)


def _seal(package: Path) -> str:
    """Write the files to the disk, make them read-only, and return the hash `h1` by which lock files list the package."""
    lines = []
    for path in (each for each in package.rglob("*") if each.is_file()):
        with path.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        path.chmod(path.stat().st_mode & 0o555)
        lines.append((path.relative_to(package).as_posix().encode(), digest))
    listed = b"".join(digest.encode() + b"  " + name + b"\n" for name, digest in sorted(lines))
    return "h1:" + b64encode(sha256(listed).digest()).decode()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _size(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
