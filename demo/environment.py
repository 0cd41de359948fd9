"""What the demo plays on: a control plane with the product installed, an operator, three daemons, and people.

Raised by `make demo` in its own process and by `make up` in a detached one. Everything lies in one directory and goes
with it; every program talks to the API server as a user of its own, with a client certificate and the product's roles.
"""

from __future__ import annotations

import http.client
import json
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import yaml

from demo import installation, narration
from demo.people import NotAsToldError, Person
from demo.programs import Programs
from provisioner_devcluster import ControlPlane, find_kubectl, find_tofu

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMESPACE = "acme"
DAEMONS = ("chicago", "newyork", "plain")
OPERATOR = "operator"

REQUESTS_TO_END = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# Python starts and the API server is listed in one to two seconds; a machine that compiles takes many times that.
START_WITHIN = 60.0
POLL = 0.05


class Stage:
    """Everything of one demo. Made by `raised`."""

    def __init__(self, plane: ControlPlane, directory: Path) -> None:
        self.directory = directory
        """Kubeconfigs by user, logs and pids by program."""
        self.programs = Programs(directory)
        self.metrics = ""
        """The URL of the operator's metrics."""
        self._plane = plane
        programs = directory / "bin"
        programs.mkdir()
        (programs / "kubectl").symlink_to(find_kubectl())
        self.root = Person("root", plane.kubeconfig, programs)
        """Who installs: the cluster's administrator."""
        self.sam = Person("sam", self._kubeconfig("sam"), programs)
        """A user who submits jobs."""
        self.ada = Person("ada", self._kubeconfig("ada"), programs)
        """An admin of provisioner jobs."""

    def raise_all(self, terraform: Path) -> None:
        """Install the product and start its programs; returns when they are at work."""
        narration.heading("Installing")
        installation.install(self.root)
        self._start_operator()
        self.ada.types("kubectl apply -f demo/cluster/daemons.yaml")
        for name in DAEMONS:
            self._start_daemon(name, terraform)
        installation.await_policies(self.root, submitter=self.sam, admin=self.ada)
        self._await_operator()
        narration.say(f"The operator and the daemons {', '.join(DAEMONS)} are started, each a process of its own.")
        self.ada.types("kubectl wait --for=jsonpath='{.status.state}'=Idle --timeout=60s pd --all")

    def show_evidence(self) -> None:
        """Show what the cluster and the programs say, for whoever must find out why something was not as told."""
        narration.heading("What the cluster and the programs say")
        narration.output(self.ada.tries("kubectl get pj,pd -o wide"))
        for log, lines in self.programs.logs():
            narration.say(f"The last lines of {log.name}:")
            narration.say(lines)

    def _kubeconfig(self, user: str) -> Path:
        """Write the user's kubeconfig, for the organization's namespace."""
        document = yaml.safe_load(self._plane.kubeconfig_for(user).read_text(encoding="utf-8"))
        document["contexts"][0]["context"]["namespace"] = NAMESPACE
        path = self.directory / f"{user}.kubeconfig"
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        return path

    def _start_operator(self) -> None:
        kubeconfig = self._kubeconfig("provisioner-operator")
        endpoints = ("--http-host", "127.0.0.1", "--http-port", "0")
        self.programs.start(
            OPERATOR, "provisioner_operator.controller", "run", "--kubeconfig", str(kubeconfig), *endpoints
        )

    def _start_daemon(self, name: str, terraform: Path) -> None:
        work = self.directory / f"{name}-runs"
        work.mkdir()
        identity = (
            "--namespace",
            NAMESPACE,
            "--name",
            name,
            "--kubeconfig",
            str(self._kubeconfig("provisioner-daemon")),
        )
        tools = ("--terraform", str(terraform), "--work-dir", str(work))
        self.programs.start(name, "provisioner_operator.daemon", "run", *identity, *tools)

    def _await_operator(self) -> None:
        deadline = time.monotonic() + START_WITHIN
        while not (port := self._operator_port()) or not _answers(port, "/readyz"):
            self.programs.check()
            if time.monotonic() > deadline:
                raise NotAsToldError(f"Expected the operator to be ready within {START_WITHIN:.0f} s; it is not.")
            time.sleep(POLL)
        self.metrics = f"http://127.0.0.1:{port}/metrics"

    def _operator_port(self) -> int:
        """Return the port that the operator's log names, or 0 while it does not."""
        for line in self.programs.log(OPERATOR).read_text(encoding="utf-8", errors="replace").splitlines():
            if '"port"' in line:
                return int(json.loads(line)["port"])
        return 0


@contextmanager
def raised(directory: Path | None = None) -> Iterator[Stage]:
    """Raise a stage and take it down again, whatever happens on it.

    Args:
        directory: Where everything lies, an empty directory; by default with the control plane's data in the cache.
    """
    narration.heading("Starting a control plane")
    terraform = find_tofu()
    begin = time.monotonic()
    with ControlPlane.start(directory / "cluster" if directory else None) as plane:
        narration.say(
            f"etcd, kube-apiserver, kube-controller-manager and kube-scheduler: ready after {time.monotonic() - begin:.1f} s."
        )
        place = directory or plane.directory / "demo"
        place.mkdir(exist_ok=True)
        stage = Stage(plane, place)
        try:
            stage.raise_all(terraform)
            yield stage
        except NotAsToldError:
            stage.show_evidence()
            raise
        finally:
            ignore_requests_to_end()
            stage.programs.stop()


def ignore_requests_to_end() -> None:
    """From here on everything is taken down anyway, and nothing must interrupt that."""
    for number in REQUESTS_TO_END:
        signal.signal(number, signal.SIG_IGN)


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_WITHIN)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()
