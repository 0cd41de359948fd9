"""Real cluster for all end-to-end tests of a run; where none can run, the tests are skipped with the reason."""

from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from e2e.product import SYSTEM, Installation, Team, a_team, write_kustomization
from provisioner_devcluster import NodeCluster, NodeImpossibleError
from provisioner_devcluster.build.go_build import build
from provisioner_devcluster.build.go_modules import GoModule
from provisioner_devcluster.node.addresses import LINKS
from provisioner_devcluster.node.images import write_image
from support.cluster.e2e_cluster import IMAGE_VARIABLE, KUBECONFIG_VARIABLE, GivenCluster, IncompleteError, e2e_cluster
from support.cluster.kubectl import Kubectl
from support.images.container_image import built_image, obstacle
from support.unique import unique

PROBE = GoModule(
    name="probe",
    directory=Path(__file__).parent / "probe",
    package=".",
    program="probe",
    linker_flags="",
    duration="seconds",
)

PROBE_IMAGE = "provisioner.dev/probe:1"

TOKEN_WITHIN = 60
"""Timeout in seconds until a new namespace has its ServiceAccount, without which no Pod is admitted."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Report the reason of skipped tests once, not for each test."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple):
        report.longrepr = (__file__, 1, report.longrepr[2])
    return report


@pytest.fixture(scope="session")
def cluster() -> Iterator[GivenCluster | NodeCluster]:
    """Provide the run's cluster with at least one node, whether new or existing."""
    try:
        manager = e2e_cluster()
    except NodeImpossibleError as error:
        pytest.skip(f"{error} Or name an existing cluster with {KUBECONFIG_VARIABLE} and {IMAGE_VARIABLE}.")
    except IncompleteError as error:
        pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)
    with manager as cluster, pytest.MonkeyPatch.context() as environment:
        if isinstance(cluster, NodeCluster):
            # Its address is not loopback, and a configured proxy could not reach it.
            for variable in ("NO_PROXY", "no_proxy"):
                environment.setenv(variable, str(LINKS), prepend=",")
        yield cluster


@pytest.fixture(scope="session")
def own_cluster(cluster: GivenCluster | NodeCluster) -> NodeCluster:
    """Provide the run's own cluster, for tests that would harm an existing one's node."""
    if isinstance(cluster, GivenCluster):
        pytest.skip(f"This test needs the node of a new cluster, but {KUBECONFIG_VARIABLE} names an existing cluster.")
    return cluster


@pytest.fixture(scope="session")
def make_namespace(cluster: GivenCluster | NodeCluster) -> Iterator[Callable[[], Kubectl]]:
    """Return a function that creates a namespace for an administrator; all are deleted at the end."""
    admin = Kubectl(cluster.kubeconfig)
    made: list[str] = []

    def make() -> Kubectl:
        name = unique("e2e")
        admin.run("create", "namespace", name)
        made.append(name)
        inside = admin.within(name)
        inside.run("wait", "--for=create", "serviceaccount/default", f"--timeout={TOKEN_WITHIN}s")
        return inside

    yield make
    if made:
        admin.run("delete", "namespace", "--ignore-not-found", "--wait=false", *made)


@pytest.fixture
def admin(make_namespace: Callable[[], Kubectl]) -> Kubectl:
    """kubectl of the cluster's administrator, in a namespace of the test's own."""
    return make_namespace()


@pytest.fixture(scope="session")
def probe_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image from scratch that contains only the probe."""
    archive = tmp_path_factory.mktemp("probe") / "probe.tar"
    write_image(archive, PROBE_IMAGE, {"probe": build(PROBE)}, ["/probe"])
    return archive


@pytest.fixture(scope="session")
def probe_image(own_cluster: NodeCluster, probe_archive: Path) -> str:
    """Import the probe's image into the node, and return its name."""
    [name] = own_cluster.import_image(probe_archive)
    return name


@pytest.fixture(scope="session")
def image(cluster: GivenCluster | NodeCluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the name of the product's image, which the cluster's nodes have or can pull."""
    if isinstance(cluster, GivenCluster):
        return cluster.image
    if (why := obstacle()) is not None:
        pytest.skip(f"There is no image of the product: {why}.")
    archive = tmp_path_factory.mktemp("image") / "image.tar"
    built_image(archive)
    [name] = cluster.import_image(archive)
    return name


@pytest.fixture(scope="session")
def installation(
    cluster: GivenCluster | NodeCluster, image: str, tmp_path_factory: pytest.TempPathFactory
) -> Installation:
    """The product, installed by `kubectl apply -k`, as its users install it."""
    folder = write_kustomization(tmp_path_factory.mktemp("installation"), image)
    installation = Installation(folder, Kubectl(cluster.kubeconfig, SYSTEM))
    installation.apply()
    installation.await_rollout()
    return installation


@pytest.fixture
def team(installation: Installation, admin: Kubectl) -> Iterator[Team]:
    """A team's namespace of the test's own."""
    assert installation.admin.namespace == SYSTEM
    with a_team(admin) as team:
        yield team
