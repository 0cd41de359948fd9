"""A stage that stays: raised by a detached process, its keeper, until it is told to end.

`make up` starts the keeper and `make down` ends it; everything lies in `.state/demo`. If the keeper dies, in whatever
way, so do the control plane and the programs, by their lifelines.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass

from filelock import FileLock

from demo import narration
from demo.environment import raised
from demo.people import REPOSITORY
from provisioner_devcluster import find_kubectl, find_tofu
from provisioner_devcluster.control_plane.binaries import find_binaries
from provisioner_devcluster.errors import tail
from provisioner_devcluster.locations import cache_directory
from provisioner_devcluster.process.process import Identity, still_running

STATE = REPOSITORY / ".state"
PLACE = STATE / "demo"
RECORD = PLACE / "record.json"
REPORT = STATE / "demo.log"
"""What the keeper says; outside of what it removes."""

# A stage is raised in some ten seconds; a machine that compiles on every core at the same time takes many times that.
RAISED_WITHIN = 240.0
ENDED_WITHIN = 60.0
POLL = 0.1


class StandingError(Exception):
    """The stage could not be raised or taken down; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Record:
    """What a keeper leaves for those who look for it, once its stage is raised."""

    pid: int
    created: float
    metrics: str

    @property
    def keeper(self) -> Identity:
        """The keeper's process."""
        return Identity(self.pid, self.created)


def up() -> None:
    """Raise the stage, unless it stands, and say how to use it. Raises StandingError."""
    with _lock():
        record = _find()
        if record is None:
            record = _raise()
    _explain(record)


def down() -> None:
    """Take the stage down and remove every trace of it. Raises StandingError."""
    with _lock():
        record = _find()
        if record is not None:
            keeper = record.keeper.find()
            if keeper is not None:
                keeper.terminate()
            if still_running([record.keeper], ENDED_WITHIN):
                raise StandingError(
                    f"The demo's process {record.pid} does not end. End it with kill -9, then try again."
                )
        shutil.rmtree(PLACE, ignore_errors=True)
        _forget_report()
    narration.say("The demo was not up." if record is None else "The demo is down, with all its data.")


def keep() -> None:
    """Hold the stage in this process until a signal ends it."""
    PLACE.mkdir(mode=0o700)
    try:
        with raised(PLACE) as stage:
            identity = Identity.of(os.getpid())
            draft = RECORD.with_suffix(".draft")
            draft.write_text(json.dumps(asdict(Record(identity.pid, identity.created, stage.metrics))))
            draft.replace(RECORD)
            while True:
                time.sleep(1)
                stage.programs.bury()
    finally:
        shutil.rmtree(PLACE, ignore_errors=True)


def _raise() -> Record:
    # Here and not in the detached process, so that the progress of a build is seen.
    find_binaries()
    find_kubectl()
    find_tofu()
    narration.say("Raising a control plane, the operator and three daemons ...")
    shutil.rmtree(PLACE, ignore_errors=True)
    STATE.mkdir(exist_ok=True)
    with REPORT.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "demo", "keep"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=REPOSITORY,
            start_new_session=True,
        )
    try:
        return _await_raised(process)
    except BaseException as error:
        process.terminate()
        process.wait(ENDED_WITHIN)
        if not isinstance(error, StandingError):  # which sends its reader to the report
            _forget_report()
        raise


def _await_raised(process: subprocess.Popen[bytes]) -> Record:
    deadline = time.monotonic() + RAISED_WITHIN
    while (record := _find()) is None:
        if process.poll() is not None or time.monotonic() > deadline:
            raise StandingError(f"The stage could not be raised. The last lines of {REPORT}:\n{tail(REPORT)}")
        time.sleep(POLL)
    return record


def _find() -> Record | None:
    """Return the record of a keeper that lives."""
    try:
        record = Record(**json.loads(RECORD.read_text()))
    except FileNotFoundError:
        return None
    return record if record.keeper.find() else None


def _forget_report() -> None:
    REPORT.unlink(missing_ok=True)
    with suppress(OSError):  # not there, or not empty
        STATE.rmdir()


def _lock() -> FileLock:
    # In the cache, which stays: a lock that is removed locks nobody out.
    cache_directory().mkdir(parents=True, exist_ok=True)
    return FileLock(cache_directory() / "demo.lock")


def _explain(record: Record) -> None:
    place = PLACE.relative_to(REPOSITORY)
    narration.say(f"""\
The demo is up: a control plane, the operator and the daemons chicago, newyork and plain, in namespace acme.

  export KUBECONFIG=$PWD/{place}/ada.kubeconfig     # ada makes templates, and may also cancel
  kubectl apply -f demo/workspaces/template.yaml

  export KUBECONFIG=$PWD/{place}/sam.kubeconfig     # sam wants an environment, or submits jobs
  kubectl get pd
  kubectl apply -f demo/workspaces/dev.yaml
  kubectl get ws,pj
  kubectl get configmap dev-1-log -o jsonpath='{{.data.log}}'

  kubectl apply -f demo/jobs/tokyo.yaml                  # no daemon matches: see why
  kubectl get pj tokyo -o jsonpath='{{.status.message}}'

  export KUBECONFIG=$PWD/{place}/ada.kubeconfig
  kubectl patch pj tokyo --type merge -p '{{"spec":{{"cancel":true}}}}'
  kill -9 $(cat {place}/chicago.pid)                # a daemon dies: its job is failed after 15 s

  More          demo/workspaces, demo/jobs
  Metrics       {record.metrics}
  Logs          {place}/operator.log, chicago.log, newyork.log, plain.log
  The cluster   export KUBECONFIG=$PWD/{place}/cluster/admin.kubeconfig
  No kubectl?   export PATH=$PWD/{place}/bin:$PATH
  The end       make down""")
