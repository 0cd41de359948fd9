"""Records as people see them."""

from provisioner_operator.core.model.records import DaemonPod, Offer
from support.builders.core import NAMESPACE, a_daemon, a_job
from support.builders.pools import a_pool
from support.builders.workspaces import a_template, a_workspace


def test_an_object_is_displayed_by_namespace_and_name() -> None:
    pod = DaemonPod(NAMESPACE, "pod", "uid-of-pod", 1, Offer(frozenset(), frozenset(), 1, 300, 180))
    objects = (a_job(), a_daemon(), pod, a_pool(), a_template(), a_workspace())

    assert [each.display_name for each in objects] == [
        "acme/job",
        "acme/daemon",
        "acme/pod",
        "acme/pool",
        "acme/template",
        "acme/dev",
    ]
