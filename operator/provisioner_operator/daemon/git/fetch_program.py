"""The program of the stage `fetch`: brings the files of a git source into the run's directory.

Started under a guard like any other command, in the run's directory, with what is wanted as JSON in its environment (it
may hold a password). A process of its own, so that it can be interrupted, killed and limited like Terraform, and a
repository that means harm has nothing to break. It writes lines for the log to its standard output, one of which names
the commit; why it failed is the last line of its standard error. Leaves the files in `repository`, and nothing else.
"""

import os
import shutil
import signal
import sys
import threading
from contextlib import closing
from pathlib import Path

from dulwich.object_store import DiskObjectStore

from provisioner_operator.daemon.execution.guard import SIGNALED
from provisioner_operator.daemon.execution.memory_limit import limit_address_space
from provisioner_operator.daemon.git.checkout import Checkout
from provisioner_operator.daemon.git.fetch import GitFetch
from provisioner_operator.daemon.git.request import COMMIT_PREFIX, FAILED, REPOSITORY, REQUEST, FetchError, GitRequest

_OBJECTS = ".git-objects"


def fetch(request: GitRequest, directory: Path) -> str:
    """Bring the files into `repository` below the directory and return the commit's id. Raises FetchError."""
    request.check()
    objects = directory / _OBJECTS
    try:
        with closing(DiskObjectStore.init(str(objects))) as store:
            commit = GitFetch(request, store).commit()
            checkout = Checkout(store, request, directory / REPOSITORY, say)
            checkout.write(commit)
    except (MemoryError, BufferError):  # the latter from dulwich, closing a file from which the memory ran out
        raise FetchError(
            f"{request.where} needs more than {request.limits.memory_bytes:,} bytes of memory. Keep large files out of the "
            "repository."
        ) from None
    finally:
        shutil.rmtree(objects, ignore_errors=True)
    commit_id = commit.id.decode()
    say(f"{checkout.entries} files and folders, {checkout.size:,} bytes")
    return commit_id


def say(line: str) -> None:
    """Write a line for the log; a name in it, which may hold a line break, makes no line of its own."""
    print(" ".join(line.splitlines()), flush=True)  # noqa: T201 - its output is its purpose


def main() -> int:
    """Fetch what the environment asks for and return the exit code."""
    # At once, wherever it is: there is nothing to put in order, the daemon removes the directory.
    signal.signal(signal.SIGINT, lambda *_: os._exit(SIGNALED + signal.SIGINT))
    request = GitRequest.decode(os.environ.pop(REQUEST))
    limit_address_space(request.limits.memory_bytes)
    _limit_time(request)
    say(f"Fetching {request.where}")
    try:
        say(COMMIT_PREFIX + fetch(request, Path.cwd()))
    except FetchError as error:
        _fail(str(error))
        return FAILED
    except Exception as error:  # noqa: BLE001 - what it is, is the server's choice: it speaks a protocol of many parts
        _fail(f"{request.where} could not be understood ({error!r}). Check that `git clone` can read it.")
        return FAILED
    return 0


def _limit_time(request: GitRequest) -> None:
    """End the program when its time is over: from another thread, since a name server may hold the first one up."""

    def give_up() -> None:
        _fail(
            f"The fetch of {request.where} timed out after {request.limits.seconds:g} s. "
            "See whether the server works, and whether the repository is that large."
        )
        os._exit(FAILED)

    timer = threading.Timer(request.limits.seconds, give_up)
    timer.daemon = True
    timer.start()


def _fail(message: str) -> None:
    sys.stdout.flush()
    os.write(2, " ".join(message.split()).encode(errors="replace") + b"\n")


if __name__ == "__main__":
    sys.exit(main())
