"""Cluster with a node for end-to-end tests: a new one, or the one that the environment names."""

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from provisioner_devcluster import NodeCluster

KUBECONFIG_VARIABLE = "E2E_KUBECONFIG"
"""Variable with the administrator's kubeconfig of an existing cluster, to be used instead of a new one."""

IMAGE_VARIABLE = "E2E_IMAGE"
"""Variable with the name of the product's image, which that cluster's nodes can pull."""


class IncompleteError(Exception):
    """Incomplete variables for an existing cluster."""


@dataclass(frozen=True, slots=True)
class GivenCluster:
    """An existing cluster, which is never started or stopped."""

    kubeconfig: Path
    image: str
    """The product's image."""


def given_cluster() -> GivenCluster | None:
    """Return the cluster that the environment names, if it names one."""
    kubeconfig, image = os.environ.get(KUBECONFIG_VARIABLE), os.environ.get(IMAGE_VARIABLE)
    if kubeconfig and image:
        return GivenCluster(Path(kubeconfig).absolute(), image)
    if kubeconfig or image:
        raise IncompleteError(
            f"{KUBECONFIG_VARIABLE} and {IMAGE_VARIABLE} go together: the existing cluster, and the product's image as its "
            "nodes can pull it. Set both, or none for a cluster of the run's own.",
        )
    return None


def e2e_cluster() -> AbstractContextManager[GivenCluster | NodeCluster]:
    """Provide the cluster, ready for use."""
    given = given_cluster()
    return nullcontext(given) if given else NodeCluster.start()
