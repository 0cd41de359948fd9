"""Namespace for a test of the product: its programs with their own users and roles, jobs, watches, and the ledger."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from provisioner_operator.api.v1alpha1.names import LEASE
from support.builders.manifests import a_daemon_manifest, a_job_manifest, role_binding
from support.cluster.job_histories import require_legal_histories
from support.cluster.kubectl import Kubectl
from support.cluster.pods import token_kubeconfig
from support.cluster.role_bindings import grant_roles
from support.cluster.shared_cluster import Cluster
from support.cluster.watching import Watch, watching
from support.manifests import MANIFESTS, Manifest
from support.programs.ledger import Ledger, Run
from support.programs.programs import OperatorProgram, Program, a_daemon_process, a_daemon_process_in_pod, an_operator
from support.unique import unique

OPERATOR = "provisioner-operator"
DAEMON = "provisioner-daemon"
"""Users, each bound to the ClusterRole of that name in the namespace."""
EXTERNAL_DAEMON = "provisioner-external-daemon"
"""Additional ClusterRole of the tests' daemons, which do not run in Pods."""


@dataclass(frozen=True, slots=True)
class ProductNamespace:
    """The product in one namespace of a cluster."""

    admin: Kubectl
    """kubectl of an administrator in the namespace."""
    operator_kubeconfig: Path
    daemon_kubeconfig: Path
    ledger: Ledger
    jobs: Watch
    daemons: Watch
    notices: Watch
    """Watch of the namespace's Events."""

    @property
    def namespace(self) -> str:
        """Name of the namespace."""
        assert self.admin.namespace is not None
        return self.admin.namespace

    def operator(
        self, *, wait: bool = True, environment: Mapping[str, str] | None = None
    ) -> AbstractContextManager[OperatorProgram]:
        """Run a controller that serves only this namespace."""
        return an_operator(self.operator_kubeconfig, self.namespace, wait=wait, environment=environment)

    def candidate(self) -> AbstractContextManager[OperatorProgram]:
        """Run a controller of this namespace that leads only if elected; call `allow_election` first."""
        return an_operator(self.operator_kubeconfig, self.namespace, lease_namespace=self.namespace)

    def allow_election(self) -> None:
        """Grant the controllers the installation's permissions on their Lease, in this namespace."""
        documents = yaml.safe_load_all((MANIFESTS / "operator" / "election.yaml").read_text(encoding="utf-8"))
        role = next(each for each in documents if each["kind"] == "Role")
        role["metadata"]["namespace"] = self.namespace
        self.admin.create(role)
        binding = ("rolebinding", "election", f"--role={role['metadata']['name']}", f"--user={OPERATOR}")
        self.admin.run("create", *binding)

    def lease(self) -> Manifest:
        """Return the controllers' Lease."""
        return self.admin.get("lease", LEASE)

    @contextmanager
    def daemon(self, name: str = "daemon", **options: Any) -> Iterator[Program]:
        """Run a daemon of this namespace, and return when it has sent a heartbeat."""
        before = len(self.daemons.versions(name))
        with a_daemon_process(
            self.daemon_kubeconfig, self.namespace, name, ledger=self.ledger.path, **options
        ) as program:
            instances = {_instance(each) for each in self.daemons.versions(name)[:before]}
            self.daemons.until(name, lambda body: _instance(body) not in {None, *instances})
            yield program

    @contextmanager
    def daemon_in(self, pod: Manifest) -> Iterator[Program]:
        """Run the daemon process of a Pod in place of kubelet, with the Pod's token."""
        token = token_kubeconfig(self.admin, pod, self.ledger.path.parent)
        with a_daemon_process_in_pod(token, pod, ledger=self.ledger.path) as program:
            yield program

    def submit(self, name: str, **spec: Any) -> Manifest:
        """Create a job that runs for as long as its variables say; each has a workspace of its own unless given one."""
        return self.admin.create(a_job(name, **spec))

    def submit_all(self, names: Sequence[str], **spec: Any) -> None:
        """Create many jobs with one call of kubectl."""
        items = [a_job(name, **spec) for name in names]
        self.admin.create_all(items)

    def submit_held(self, name: str, **spec: Any) -> Run:
        """Create a job that runs until `ledger.release` lets it go, and return its run once that has started."""
        self.submit(name, hold="true", **spec)
        return self.ledger.await_run(name)

    def await_seen(self) -> None:
        """Wait until the controller has observed all existing jobs, by its answer to a job created after them."""
        marker = unique("marker")
        self.submit(marker, suspend=True)
        self.jobs.until(marker, lambda body: "suspendedAt" in body["status"])

    def cancel(self, name: str, **how: str) -> None:
        """Cancel the job."""
        self.admin.patch("pj", name, {"spec": {"cancel": True} | how})

    def events(self, name: str) -> list[Manifest]:
        """Return the Events about the object of this name."""
        return [event for event in self.notices.latest().values() if event["regarding"]["name"] == name]

    def await_events(self, name: str, reason: str | None = None) -> list[Manifest]:
        """Wait for an Event about the object, or for one with this reason, and return all Events about it."""
        self.notices.until_any(
            lambda event: event["regarding"]["name"] == name and reason in {None, event["reason"]},
        )
        return self.events(name)

    def a_daemon_without_process(self, name: str, *, instance: str = "none", **spec: Any) -> Manifest:
        """Create only the object of a daemon, with the state Idle; it never acts, and has no runs that it could hide."""
        self.admin.create(a_daemon_manifest(name, **({"lostAfterSeconds": 86_400} | spec)))
        return self.admin.patch("pd", name, {"status": {"state": "Idle", "instance": instance}}, subresource="status")

    def beat(self, name: str, *, instance: str = "none", **status: Any) -> Manifest:
        """Write a heartbeat for the daemon."""
        at = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        content = {"state": "Idle", "instance": instance, "lastHeartbeatTime": at} | status
        return self.admin.patch("pd", name, {"status": content}, subresource="status")


def a_job(name: str, **spec: Any) -> Manifest:
    """Return an echo job in a workspace of its own; `seconds`, `fail` and the like become its variables."""
    variables = {key: spec.pop(key) for key in _ECHO_VARIABLES if key in spec}
    given: dict[str, Any] = {"workspaceRef": {"name": name}}
    if variables:
        given["variables"] = [{"name": key, "value": str(value)} for key, value in variables.items()]
    return a_job_manifest(name, **(given | spec))


_ECHO_VARIABLES = ("seconds", "lines", "flood_bytes", "hold", "ignore_interrupt", "fail", "outputs")


@contextmanager
def a_product_namespace(cluster: Cluster, namespace: str, *, goes_back: bool = False) -> Iterator[ProductNamespace]:
    """Bind the product's users to their roles in a namespace, and watch its jobs and daemons.

    At the end, the history of each job must be a path of the transition table, unless a restore of etcd `goes_back`.
    """
    admin = Kubectl(cluster.kubeconfig, namespace)
    roles = ((DAEMON, DAEMON), (DAEMON, EXTERNAL_DAEMON), (OPERATOR, OPERATOR))
    bindings = [role_binding(user, role, namespace=namespace) for user, role in roles]
    grant_roles(admin, bindings)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="product-")))
        ledger = stack.enter_context(Ledger(folder / "ledger").witnessed())
        product = ProductNamespace(
            admin=admin,
            operator_kubeconfig=cluster.kubeconfig_for(OPERATOR),
            daemon_kubeconfig=cluster.kubeconfig_for(DAEMON),
            ledger=ledger,
            jobs=stack.enter_context(watching(admin, "pj")),
            daemons=stack.enter_context(watching(admin, "pd")),
            notices=stack.enter_context(watching(admin, "events.events.k8s.io")),
        )
        yield product
        if not goes_back:
            require_legal_histories(product.jobs)


def condition(body: Manifest, kind: str) -> Manifest:
    """Return the object's condition of this type, or an empty one."""
    conditions: list[Manifest] = body.get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == kind), {})


def names(prefix: str, count: int) -> list[str]:
    """Return numbered names with this prefix."""
    return [f"{prefix}-{number:03d}" for number in range(count)]


def _instance(body: Manifest) -> str | None:
    found: str | None = body.get("status", {}).get("instance")
    return found


@contextmanager
def a_serving_namespace(cluster: Cluster, namespace: str, *, tags: dict[str, str]) -> Iterator[ProductNamespace]:
    """Yield a namespace with an operator and a daemon `d1` of four slots."""
    with (
        a_product_namespace(cluster, namespace) as product,
        product.operator(),
        product.daemon("d1", tags=tags, capacity=4),
    ):
        yield product
