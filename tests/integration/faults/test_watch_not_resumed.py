"""A watch whose version has expired restarts from a list, which also reveals deletions."""

from collections.abc import Iterator

import pytest

from provisioner_devcluster import ControlPlane
from support.cluster.installation import an_installed_control_plane
from support.cluster.kubectl import Kubectl
from support.test_namespace import ProductNamespace, a_product_namespace


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    """A control plane that no other test uses: its API server is restarted."""
    with an_installed_control_plane() as plane:
        yield plane


@pytest.fixture
def own(plane: ControlPlane) -> Iterator[ProductNamespace]:
    """A namespace in that control plane."""
    Kubectl(plane.kubeconfig).run("create", "namespace", "test-gap")
    with a_product_namespace(plane, "test-gap") as product:
        yield product


def test_ends_and_deletions_missed_by_the_watch_are_swept(plane: ControlPlane, own: ProductNamespace) -> None:
    waiting = 'provisioner_jobs{phase="Pending"}'
    own.a_daemon_without_process("forgotten")
    for name in ("deleted", "canceled", "stays"):
        own.submit(name, tags={"nobody": "has-it"})
    with own.operator() as operator:
        operator.await_that(lambda: operator.metrics(waiting) == {waiting: 3.0}, "knows the jobs")
        operator.await_that(lambda: sum(operator.metrics("provisioner_daemons{").values()) == 1.0, "knows the daemon")
        operator.freeze()
        own.admin.run("delete", "pj", "deleted")
        own.admin.run("delete", "pd", "forgotten")
        _cancel_in_place_of_the_controller(own, "canceled")
        # The watch cache of an API server begins with its start.
        plane.restart_api_server(kill=True)
        operator.thaw()
        operator.await_that(lambda: operator.metrics(waiting) == {waiting: 1.0}, "sees who is gone")
        operator.await_that(lambda: sum(operator.metrics("provisioner_daemons{").values()) == 0.0, "sees none")
        with own.daemon("later", tags={"nobody": "has-it"}):
            own.jobs.until("stays", "Completed")
        assert any("has to be listed again" in str(record["message"]) for record in operator.records())
    assert own.ledger.runs_of("canceled") == []


def _cancel_in_place_of_the_controller(product: ProductNamespace, name: str) -> None:
    product.cancel(name)
    patch = {"status": {"phase": "Canceled", "reason": "Canceled", "finishedAt": "2026-01-01T00:00:00Z"}}
    product.admin.patch("pj", name, patch, subresource="status")
