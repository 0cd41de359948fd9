"""The demo in the background: a detached process, the keeper, runs the environment until a signal ends it.

`make up` starts the keeper and `make down` stops it; all files are in `.state/demo`. However the keeper dies, the control
plane and the programs die with it, by their lifelines.
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
from pathlib import Path

from filelock import FileLock

from demo import narration
from demo.environment import Environment, demo_environment
from demo.people import REPOSITORY
from provisioner_devcluster import DevClusterError, find_kubectl, find_tofu
from provisioner_devcluster.build.tools import PROMETHEUS_VARIABLE, find_prometheus
from provisioner_devcluster.control_plane.binaries import find_binaries
from provisioner_devcluster.errors import tail
from provisioner_devcluster.locations import cache_directory
from provisioner_devcluster.process.process import Identity, still_running

STATE = REPOSITORY / ".state"
PLACE = STATE / "demo"
RECORD = PLACE / "record.json"
REPORT = STATE / "demo.log"
"""Output of the keeper; outside the directory that the keeper removes."""

# Starting takes some ten seconds on a quiet machine, many times that beside a compiler on every core.
STARTED_WITHIN = 240.0
ENDED_WITHIN = 60.0
POLL = 0.1

_MONITORING = """\
  Dashboards    {dashboards}
                more jobs for them, as sam: kubectl create -f demo/jobs/load.yaml
  Prometheus    {prometheus}
"""


class BackgroundError(Exception):
    """Failure to start or stop the demo in the background; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Record:
    """Description of a keeper whose environment is ready, stored in a file for later commands."""

    pid: int
    created: float
    metrics: str
    page: str
    prometheus: str = ""
    """URL of Prometheus; empty without monitoring."""
    dashboards: str = ""
    """URL of the page of the dashboards; empty without monitoring."""

    @property
    def keeper(self) -> Identity:
        """The keeper's process."""
        return Identity(self.pid, self.created)


def up(*, monitoring: bool = False) -> None:
    """Start the keeper, unless one runs already, and explain how to use the demo.

    Args:
        monitoring: Whether to start Prometheus and the dashboards too, where Prometheus can be had.

    Raises:
        BackgroundError: The demo does not start, or runs already without the monitoring that is asked for.
    """
    with _lock():
        record = _find()
        if record is None:
            record = _start_keeper(find_monitoring() if monitoring else None)
        elif monitoring and not record.dashboards:
            raise BackgroundError("The demo runs already, without monitoring: end it with `make down`, then try again.")
    _explain(record)


def down() -> None:
    """Stop the keeper and remove all files of the demo. Raises BackgroundError."""
    with _lock():
        record = _find()
        if record is not None:
            keeper = record.keeper.find()
            if keeper is not None:
                keeper.terminate()
            if still_running([record.keeper], ENDED_WITHIN):
                raise BackgroundError(
                    f"The demo's process {record.pid} does not exit. Kill it with kill -9, then try again."
                )
        shutil.rmtree(PLACE, ignore_errors=True)
        _forget_report()
    narration.say("The demo was not running." if record is None else "The demo has been stopped, and its data removed.")


def keep(prometheus: Path | None) -> None:
    """Run the environment in this process until a signal ends it."""
    PLACE.mkdir(mode=0o700)
    try:
        with demo_environment(PLACE, prometheus) as environment:
            # Something to find on the page: no daemon matches this job.
            environment.sam.types("kubectl apply -f demo/jobs/osaka.yaml")
            if prometheus is not None:
                environment.sam.types("kubectl create -f demo/jobs/load.yaml")
            _publish(environment)
            while True:
                time.sleep(1)
                environment.programs.reap()
    finally:
        shutil.rmtree(PLACE, ignore_errors=True)


def _publish(environment: Environment) -> None:
    """Record the environment of this process, at once and as a whole."""
    identity = Identity.of(os.getpid())
    record = Record(
        identity.pid,
        identity.created,
        environment.metrics,
        environment.page,
        environment.prometheus,
        environment.dashboards,
    )
    draft = RECORD.with_suffix(".draft")
    draft.write_text(json.dumps(asdict(record)))
    draft.replace(RECORD)


def find_monitoring() -> Path | None:
    """Return Prometheus, or say why this machine has none and what to do about it."""
    try:
        return find_prometheus()
    except DevClusterError as error:
        narration.say(
            f"There will be no monitoring. {error}\n"
            f"For monitoring, put prometheus on the PATH or name it with {PROMETHEUS_VARIABLE}. All else starts as usual."
        )
        return None


def _start_keeper(prometheus: Path | None) -> Record:
    # Not in the detached process, so that the user sees the progress of a build.
    find_binaries()
    find_kubectl()
    find_tofu()
    more = "" if prometheus is None else ", and Prometheus with the dashboards"
    narration.say(f"Starting a control plane, the operator, the web server and three daemons{more} ...")
    given = [] if prometheus is None else ["--prometheus", str(prometheus)]
    shutil.rmtree(PLACE, ignore_errors=True)
    STATE.mkdir(exist_ok=True)
    with REPORT.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "demo", "keep", *given],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=REPOSITORY,
            start_new_session=True,
        )
    try:
        return _await_ready(process)
    except BaseException as error:
        process.terminate()
        process.wait(ENDED_WITHIN)
        if not isinstance(error, BackgroundError):  # its message refers to the report
            _forget_report()
        raise


def _await_ready(process: subprocess.Popen[bytes]) -> Record:
    deadline = time.monotonic() + STARTED_WITHIN
    while (record := _find()) is None:
        if process.poll() is not None or time.monotonic() > deadline:
            raise BackgroundError(f"The demo did not start. The last lines of {REPORT}:\n{tail(REPORT)}")
        time.sleep(POLL)
    return record


def _find() -> Record | None:
    """Return the record of the running keeper, if there is one."""
    try:
        record = Record(**json.loads(RECORD.read_text()))
    except FileNotFoundError:
        return None
    return record if record.keeper.find() else None


def _forget_report() -> None:
    REPORT.unlink(missing_ok=True)
    with suppress(OSError):  # does not exist, or holds files of others
        STATE.rmdir()


def _lock() -> FileLock:
    # In the cache, which `down` keeps: removing a lock file would let two processes hold the lock.
    cache_directory().mkdir(parents=True, exist_ok=True)
    return FileLock(cache_directory() / "demo.lock")


def _explain(record: Record) -> None:
    narration.say(
        instructions(
            record.metrics,
            record.page,
            programs=Path(sys.executable).parent,
            prometheus=record.prometheus,
            dashboards=record.dashboards,
        )
    )


def instructions(metrics: str, page: str, *, programs: Path, prometheus: str = "", dashboards: str = "") -> str:
    """Return the explanation of the running demo; `programs` is the directory of the product's own programs."""
    monitoring = _MONITORING.format(dashboards=dashboards, prometheus=prometheus) if dashboards else ""
    place = PLACE.relative_to(REPOSITORY)
    own = f"$PWD/{programs.relative_to(REPOSITORY)}" if programs.is_relative_to(REPOSITORY) else str(programs)
    return f"""\
The demo is running: a control plane, the operator, the web server, and the daemons chicago, newyork and plain in namespace acme.

  The page      {page}
                log in with the token in {place}/ada.token, an administrator, or {place}/sam.token;
                the job osaka is stuck: see why, and cancel it
{monitoring}
  export PATH=$PWD/{place}/bin:{own}:$PATH          # kubectl, and `kubectl provisioner`

  export KUBECONFIG=$PWD/{place}/ada.kubeconfig     # ada creates templates, and may also cancel jobs
  kubectl apply -f demo/workspaces/template.yaml

  export KUBECONFIG=$PWD/{place}/sam.kubeconfig     # sam creates workspaces and submits jobs
  kubectl get pd
  kubectl apply -f demo/workspaces/dev.yaml
  kubectl get ws,pj
  kubectl provisioner jobs logs dev-1

  kubectl apply -f demo/jobs/tokyo.yaml                  # no daemon matches; this says why
  kubectl provisioner jobs why tokyo

  export KUBECONFIG=$PWD/{place}/ada.kubeconfig
  kubectl patch pj tokyo --type merge -p '{{"spec":{{"cancel":true}}}}'
  kill -9 $(cat {place}/chicago.pid)                # a daemon dies; after 15 s its job fails

  Examples      demo/workspaces, demo/jobs
  Metrics       {metrics}
  REST API      export CODER_URL={page} CODER_SESSION_TOKEN=$(cat {place}/ada.token)
                api GET '/api/v2/organizations/acme/provisionerjobs?stuck=true'   # curl does too, and so does `coder`
                ID=...                                             # its id
                api GET /api/provisioner/v1/jobs/$ID/why
                api PATCH /api/v2/workspacebuilds/$ID/cancel
  Logs          {place}/operator.log, web.log, chicago.log, newyork.log, plain.log
  Administrator export KUBECONFIG=$PWD/{place}/cluster/admin.kubeconfig
  Stop          make down"""
