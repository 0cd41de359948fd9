"""After etcd was restored from a backup, everything is seen as it is then, however old.

A control plane of its own, whose database goes back.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner_devcluster import ControlPlane
from support.cluster.installation import an_installed_control_plane
from support.cluster.kubectl import Kubectl
from support.cluster.watching import watching
from support.test_namespace import ProductNamespace, a_job, a_product_namespace, names

RESTORED = "etcd was restored from a backup"
LATER = names("later", 40)
"""Jobs whose writes make the backup much older than what is known at the restore."""


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    """A control plane that no other test uses."""
    with an_installed_control_plane() as plane:
        yield plane


@pytest.fixture
def own(plane: ControlPlane) -> Iterator[ProductNamespace]:
    """A namespace in that control plane."""
    Kubectl(plane.kubeconfig).run("create", "namespace", "test-restored")
    with a_product_namespace(plane, "test-restored", goes_back=True) as product:
        yield product


def test_the_controller_starts_anew_and_the_daemon_goes_on(
    plane: ControlPlane, own: ProductNamespace, tmp_path: Path
) -> None:
    with own.daemon() as daemon:
        with own.operator() as operator:
            own.submit("before", suspend=True)
            own.await_seen()
            plane.back_up(tmp_path / "backup")
            await_served(own)
            own.admin.patch("pj", "before", {"spec": {"suspend": False}})
            own.submit_all(LATER)
            own.jobs.until_all(["before", *LATER], phases=["Completed"])
            plane.restore(tmp_path / "backup")
            assert operator.exit_code(within=120) == 1
            assert any(RESTORED in line for line in operator.lines)
        # In place of the kubelet. The job is suspended as it was then, though this daemon has run it.
        await_served(own)
        with watching(own.admin, "pj") as jobs, own.operator():
            own.admin.patch("pj", "before", {"spec": {"suspend": False}})
            own.submit("after")
            for name in ("before", "after"):
                jobs.until(name, "Completed")
        assert daemon.runs
        assert RESTORED in daemon.tail()
    assert len(own.ledger.runs_of("before")) == 2


def await_served(product: ProductNamespace) -> None:
    """Wait until the API server serves jobs again, some time after it says that it is ready."""
    deadline = time.monotonic() + 60
    while not (answer := product.admin.api.create(a_job("probe"), dry_run=True)).ok:
        assert time.monotonic() < deadline, str(answer)
        time.sleep(0.2)
