"""Fetch the files of a git source into the run's directory: the program of the stage `fetch`.

Started under a guard like any other command, in the run's directory, with the request as JSON in its environment (it may
hold a password). It is a process of its own so that it can be interrupted, killed and limited like Terraform, and a
malicious repository cannot harm the daemon. It writes the log to its standard output, with one line that names the commit;
the last line of its standard error is the reason of a failure. Leaves the files in `repository`, and nothing else.
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
    """Fetch the files into `repository` below the directory and return the commit's id. Raises FetchError."""
    request.check()
    objects = directory / _OBJECTS
    try:
        with closing(DiskObjectStore.init(str(objects))) as store:
            commit = GitFetch(request, store).commit()
            checkout = Checkout(store, request, directory / REPOSITORY, log)
            checkout.write(commit)
    except (MemoryError, BufferError):  # the latter when dulwich closes a file after memory ran out
        raise FetchError(
            f"{request.where} needs more than {request.limits.memory_bytes:,} bytes of memory. Keep large files out of the "
            "repository."
        ) from None
    finally:
        shutil.rmtree(objects, ignore_errors=True)
    commit_id = commit.id.decode()
    log(f"{checkout.entries} files and folders, {checkout.size:,} bytes")
    return commit_id


def log(line: str) -> None:
    """Write one line of the log; line breaks, which names of files may contain, are replaced."""
    print(" ".join(line.splitlines()), flush=True)  # noqa: T201 - its output is its purpose


def main() -> int:
    """Fetch what the environment asks for and return the exit code."""
    # Exit at once, at any point: there is nothing to clean up, since the daemon removes the directory.
    signal.signal(signal.SIGINT, lambda *_: os._exit(SIGNALED + signal.SIGINT))
    request = GitRequest.decode(os.environ.pop(REQUEST))
    limit_address_space(request.limits.memory_bytes)
    _limit_time(request)
    log(f"Fetching {request.where}")
    try:
        log(COMMIT_PREFIX + fetch(request, Path.cwd()))
    except FetchError as error:
        _fail(str(error))
        return FAILED
    except Exception as error:  # noqa: BLE001 - the server's answers may break the protocol anywhere
        _fail(f"{request.where} could not be read ({error!r}). Check that `git clone` can read it.")
        return FAILED
    return 0


def _limit_time(request: GitRequest) -> None:
    """End the program when its time is up: from another thread, because a name lookup may block the main one."""

    def time_out() -> None:
        _fail(
            f"The fetch of {request.where} timed out after {request.limits.seconds:g} s. "
            "Check that the server responds, and the size of the repository."
        )
        os._exit(FAILED)

    timer = threading.Timer(request.limits.seconds, time_out)
    timer.daemon = True
    timer.start()


def _fail(message: str) -> None:
    sys.stdout.flush()
    os.write(2, " ".join(message.split()).encode(errors="replace") + b"\n")


if __name__ == "__main__":
    sys.exit(main())
