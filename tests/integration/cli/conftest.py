"""The command line as the users of a namespace in which the product works."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from support.builders.manifests import a_daemon_manifest, a_pool_manifest, a_template_manifest, a_workspace_manifest
from support.cluster.shared_cluster import Cluster
from support.programs.cli import Cli
from support.programs.programs import Program
from support.test_namespace import ProductNamespace, a_job, a_product_namespace

ON_PREM = {"environment": "on-prem", "datacenter": "chicago"}
CLOUD = {"environment": "cloud"}
LONG_NAME = "a-very-long-name-of-a-job-" + "x" * 37
WIDE = "数据中心"


@dataclass(frozen=True, slots=True)
class People:
    """The users who type the commands."""

    viewer: Cli
    submitter: Cli
    admin: Cli
    """Of the namespace."""
    root: Cli
    """Of the cluster."""
    nobody: Cli
    """Known to the API server, without any right."""


def people_of(cluster: Cluster, namespace: str) -> People:
    """The users of a namespace."""

    def user(name: str) -> Cli:
        return Cli(cluster.kubeconfig_for(name), namespace)

    root = Cli(cluster.kubeconfig, namespace)
    return People(user("viewer"), user("submitter"), user("namespace-admin"), root, user("nobody"))


@pytest.fixture(scope="module")
def quiet(cluster: Cluster, module_namespace: str) -> Iterator[ProductNamespace]:
    """A namespace without any program: it has only the objects that a test wrote."""
    with a_product_namespace(cluster, module_namespace) as product:
        yield product


@pytest.fixture(scope="module")
def filled(quiet: ProductNamespace) -> ProductNamespace:
    """Jobs, daemons, a pool, a template and a workspace, as they are written."""
    quiet.admin.create(a_template_manifest("docker"))
    quiet.admin.create(a_workspace_manifest("lab", templateRef={"name": "docker"}, owner="sam"))
    build = {"number": 7, "job": "lab-7", "transition": "Start", "change": "x", "phase": "Completed"}
    built = {"status": {"phase": "Running", "buildNumber": 7, "latestBuild": build}}
    quiet.admin.patch("ws", "lab", built, subresource="status")
    quiet.admin.patch("wst", "docker", {"status": {"activeVersion": "docker-1", "workspaces": 1}}, subresource="status")
    quiet.a_daemon_without_process("d1", tags=ON_PREM)
    quiet.a_daemon_without_process("d2", tags=CLOUD, cordoned=True)
    quiet.beat("d2")
    quiet.beat("d1", consecutiveFailures=4, failedJobs=5, version="0.0.1", tags="x=1")
    quiet.admin.create(a_daemon_manifest("never-seen"))
    quiet.admin.create(a_pool_manifest("pool", tags={"pool": "only"}, replicas=0))
    items = [
        a_job("dev-1", tags=ON_PREM, templateRef={"name": "docker"}, priority=1),
        a_job("dev-2", tags=ON_PREM),
        a_job("dev-10", tags=ON_PREM),
        a_job("cloudy", tags=CLOUD),
        a_job(LONG_NAME, tags={"city": WIDE}, workspaceRef={"name": "long"}),
        a_job("build-1", tags=ON_PREM, workspaceRef={"name": "shared"}, priority=-1),
        a_job("build-2", tags=ON_PREM, workspaceRef={"name": "shared"}),
        a_job("held", tags=ON_PREM, suspend=True),
        a_job("import", type="TemplateImport", transition=None, workspaceRef=None, tags={"pool": "none"}),
    ]
    quiet.admin.create_all(items)
    return quiet


@pytest.fixture(scope="module")
def busy(quiet: ProductNamespace) -> Iterator[ProductNamespace]:
    """The namespace with an operator and a daemon `d1` of two slots."""
    with quiet.operator(), quiet.daemon("d1", tags=ON_PREM, capacity=2):
        yield quiet


@pytest.fixture
def other_daemon(busy: ProductNamespace) -> Iterator[Program]:
    """A daemon `d2` for what a test does to daemons."""
    with busy.daemon("d2", tags=CLOUD) as program:
        yield program


@pytest.fixture(scope="module")
def people(cluster: Cluster, module_namespace: str) -> People:
    """The users of the module's namespace."""
    return people_of(cluster, module_namespace)
