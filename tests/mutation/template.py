"""Program in the sandbox that is forked for each run, so that the run finds Python started and the libraries imported.

That takes seconds of CPU, most of what a mutant costs. It imports the libraries that a run before has imported, and of the
product only the API, which is never mutated and imports nothing of the rest. Started by `sandbox.py`, whose requests are
lines of JSON, and whose answers are exit codes.
"""

import atexit
import ctypes
import gc
import importlib
import json
import os
import resource
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

NOT_ENTERED = 120
"""Exit code if the namespaces could not be set up; pytest has none of that number."""
_UNMUTATED = "provisioner_operator.api"
_NEW_MOUNTS, _NEW_PIDS = 0x00020000, 0x20000000
"""CLONE_NEWNS and CLONE_NEWPID of sched.h; Python has them from 3.12."""


def serve(root: Path, scratch: Path, *, isolated: bool) -> None:
    """Answer requests until there are no more; in a forked process, return when its run is over."""
    imported = scratch / "imported.json"
    for line in sys.stdin:
        _import_libraries(imported)
        child = os.fork()
        if child == 0:
            request = json.loads(line)
            _redirect(Path(request["output"]))
            if isolated:
                _enter_namespaces()
            _become(request, root, imported)
            return
        sys.stdout.write(f"{_exit_code(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()


def _import_libraries(imported: Path) -> None:
    if imported.exists():
        for name in json.loads(imported.read_text(encoding="utf-8")):
            if name not in sys.modules:
                with suppress(Exception):  # the run that needs it says why it cannot be imported
                    importlib.import_module(name)
        imported.unlink()
        gc.collect()
        gc.freeze()


def _redirect(output: Path) -> None:
    with output.open("wb") as file, Path(os.devnull).open("rb") as nothing:
        for source, target in ((nothing, 0), (file, 1), (file, 2)):
            os.dup2(source.fileno(), target)


def _enter_namespaces() -> None:
    """Continue as a child of the first process of new PIDs, which ends when that child does, and all others with it."""
    if ctypes.CDLL(None).unshare(_NEW_MOUNTS | _NEW_PIDS):
        os._exit(NOT_ENTERED)
    if first := os.fork():
        os._exit(_exit_code(os.waitpid(first, 0)[1]))
    if subprocess.run(["mount", "-t", "proc", "proc", "/proc"], check=False).returncode:
        os._exit(NOT_ENTERED)
    if run := os.fork():
        signal.signal(
            signal.SIGINT, signal.SIG_DFL
        )  # as any other signal from within, it does not end the first process
        while True:
            ended, status = os.wait()  # also of orphans
            if ended == run:
                os._exit(_exit_code(status))


def _exit_code(status: int) -> int:
    """Return the code as a shell gives it: for a signal, 128 and its number."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _become(request: Mapping[str, Any], root: Path, imported: Path) -> None:
    os.environ.update(request["environment"])
    resource.setrlimit(resource.RLIMIT_CPU, (request["cpu"], resource.RLIM_INFINITY))
    atexit.register(_note_libraries, root, imported)
    module, *arguments = request["command"]
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _note_libraries(root: Path, imported: Path) -> None:
    names = [
        name for name, module in [*sys.modules.items()] if _may_be_kept(name, getattr(module, "__file__", None), root)
    ]
    part = imported.with_suffix(f".{os.getpid()}")
    part.write_text(json.dumps(names), encoding="utf-8")
    part.replace(imported)


def _may_be_kept(name: str, file: str | None, root: Path) -> bool:
    is_ours = file is None or Path(file).is_relative_to(root)
    return not is_ours or name == _UNMUTATED or name.startswith(f"{_UNMUTATED}.")


if __name__ == "__main__":
    serve(Path(sys.argv[1]), Path(sys.argv[2]), isolated=sys.argv[3] == "isolated")
