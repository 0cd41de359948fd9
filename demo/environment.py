"""The demo's environment: a control plane with the product installed, an operator, a web server, three daemons, two users.

`make demo` starts it in its own process, `make up` in a detached one. All files are in one directory, which is removed at
the end. Each program is a user of its own to the API server, with a client certificate and the product's roles. The two
users also have tokens, for the web server.
"""

from __future__ import annotations

import shlex
import signal
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import yaml

from demo import installation, narration
from demo.endpoints import await_ready
from demo.monitoring import start_monitoring
from demo.people import REPOSITORY, Person, UnexpectedResultError
from demo.programs import Programs
from provisioner_devcluster import ControlPlane, find_kubectl, find_tofu

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMESPACE = "acme"
DAEMONS = ("chicago", "newyork", "plain")
OPERATOR, WEB = "operator", "web"
USERS = ("sam", "ada")

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Environment:
    """Programs and users of one demo; created by `demo_environment`."""

    def __init__(self, plane: ControlPlane, directory: Path) -> None:
        self.directory = directory
        """Directory of the users' kubeconfigs and of the programs' logs and pid files."""
        self.programs = Programs(directory)
        self.metrics = ""
        """URL of the operator's metrics."""
        self.page = ""
        """URL of the web server."""
        self.prometheus = ""
        """URL of Prometheus; empty without monitoring."""
        self.dashboards = ""
        """URL of the page of the dashboards; empty without monitoring."""
        self._plane = plane
        programs = directory / "bin"
        programs.mkdir()
        (programs / "kubectl").symlink_to(find_kubectl())
        _write_program(
            programs / "api", f"PYTHONPATH={shlex.quote(str(REPOSITORY))} {shlex.quote(sys.executable)} -m demo.api"
        )
        self.root = Person("root", plane.kubeconfig, programs)
        """The cluster's administrator, who installs the product."""
        self._web_settings: dict[str, dict[str, str]] = {user: {} for user in USERS}
        self.sam = Person("sam", self._kubeconfig("sam"), programs, self._web_settings["sam"])
        """A user who submits jobs and owns workspaces."""
        self.ada = Person("ada", self._kubeconfig("ada"), programs, self._web_settings["ada"])
        """An administrator of the organization, who may also cancel jobs."""

    def start(self, terraform: Path, prometheus: Path | None) -> None:
        """Install the product, start its programs and, if there is one, Prometheus; return when they are ready."""
        narration.heading("Installing")
        installation.install(self.root)
        self._start_operator()
        self._start_web()
        self.ada.types("kubectl apply -f demo/cluster/daemons.yaml")
        for name in DAEMONS:
            self._start_daemon(name, terraform)
        installation.await_policies(self.root, submitter=self.sam, admin=self.ada)
        operator = await_ready(self.programs, OPERATOR)
        self.metrics = f"{operator}/metrics"
        self.page = await_ready(self.programs, WEB)
        for user, settings in self._web_settings.items():
            settings |= {"CODER_URL": self.page, "CODER_SESSION_TOKEN": self._plane.token_of(user)}
        daemons = ", ".join(DAEMONS)
        narration.say(
            f"The operator, the web server and the daemons {daemons} have started, each as a process of its own."
        )
        self.ada.types("kubectl wait --for=jsonpath='{.status.state}'=Idle --timeout=60s pd --all")
        if prometheus is not None:
            self.prometheus, self.dashboards = start_monitoring(self.programs, self.directory, prometheus, operator)
            narration.say("Prometheus scrapes the operator, and a page shows the dashboards.")

    def show_evidence(self) -> None:
        """Print the state of the cluster and the logs of the programs, to explain a failed step."""
        narration.heading("State of the cluster and the programs")
        narration.output(self.ada.tries("kubectl get pj,pd -o wide"))
        for log, lines in self.programs.logs():
            narration.say(f"The last lines of {log.name}:")
            narration.say(lines)

    def _kubeconfig(self, user: str) -> Path:
        """Write the user's kubeconfig, with the organization's namespace as its default."""
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

    def _start_web(self) -> None:
        kubeconfig = self._kubeconfig("provisioner-web")
        address = ("--http-host", "127.0.0.1", "--http-port", "0", "--metrics-port", "0")
        self.programs.start(WEB, "provisioner_operator.web", "run", "--kubeconfig", str(kubeconfig), *address)
        for user in USERS:
            path = self.directory / f"{user}.token"
            path.touch(mode=0o600)
            path.write_text(f"{self._plane.token_of(user)}\n", encoding="utf-8")


def _write_program(path: Path, command: str) -> None:
    path.write_text(f'#!/bin/sh\nexec env {command} "$@"\n', encoding="utf-8")
    path.chmod(0o755)


@contextmanager
def demo_environment(directory: Path | None = None, prometheus: Path | None = None) -> Iterator[Environment]:
    """Start an environment, and stop it again however the block ends.

    Args:
        directory: An empty directory for all files; by default one beside the control plane's data in the cache.
        prometheus: A Prometheus to run with the product's rules and dashboards; by default there is no monitoring.
    """
    narration.heading("Starting a control plane")
    terraform = find_tofu()
    begin = time.monotonic()
    with ControlPlane.start(directory / "cluster" if directory else None, tokens=USERS) as plane:
        narration.say(
            f"etcd, kube-apiserver, kube-controller-manager and kube-scheduler: ready after {time.monotonic() - begin:.1f} s."
        )
        place = directory or plane.directory / "demo"
        place.mkdir(exist_ok=True)
        environment = Environment(plane, place)
        try:
            environment.start(terraform, prometheus)
            yield environment
        except UnexpectedResultError:
            environment.show_evidence()
            raise
        finally:
            ignore_stop_signals()
            environment.programs.stop()


def ignore_stop_signals() -> None:
    """Ignore further signals, so that none interrupts the cleanup."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
