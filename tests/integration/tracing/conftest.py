"""Receiver of traces, and a namespace whose programs send theirs to it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from support.cluster.shared_cluster import Cluster
from support.programs.trace_receiver import ReceivedSpan, TraceReceiver, a_trace_receiver
from support.test_namespace import ProductNamespace, a_job, a_product_namespace

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass(frozen=True, slots=True)
class Traced:
    """The product in a namespace, and what it sent."""

    product: ProductNamespace
    receiver: TraceReceiver

    def submit(self, name: str, *, parent: str | None = None, **spec: Any) -> str:
        """Create a job, perhaps in a caller's trace, and return its uid."""
        manifest = a_job(name, **spec)
        if parent is not None:
            manifest["metadata"]["annotations"] = {"provisioner.dev/traceparent": parent}
        uid: str = self.product.admin.create(manifest)["metadata"]["uid"]
        return uid

    def tree_of(self, name: str) -> dict[str, ReceivedSpan]:
        """Wait for the trace of an ended job, require that it is one tree, and return its spans by name."""
        tree = self.receiver.tree(self.product.jobs.latest()[name]["metadata"]["uid"])
        roots = [each for each in tree.values() if each.name.startswith("RUN ")]
        (root,) = roots
        children = [each for each in tree.values() if each is not root]
        assert {each.parent for each in children} == {root.id}
        assert {each.trace for each in children} == {root.trace}
        assert all(each.started <= each.finished for each in tree.values())
        return tree


@pytest.fixture(scope="module")
def traced(cluster: Cluster, module_namespace: str) -> Iterator[Traced]:
    """A namespace with a controller and a daemon that send traces, shared by the tests of the file."""
    with (
        a_trace_receiver() as receiver,
        a_product_namespace(cluster, module_namespace) as product,
        product.operator(environment=receiver.environment),
        product.daemon(capacity=8, environment=receiver.environment),
    ):
        yield Traced(product, receiver)


@pytest.fixture
def own(cluster: Cluster, make_namespace: Callable[[], str]) -> Iterator[Traced]:
    """A namespace of the test's own, without any program yet."""
    with a_trace_receiver() as receiver, a_product_namespace(cluster, make_namespace()) as product:
        yield Traced(product, receiver)
