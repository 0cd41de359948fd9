"""The cluster with a node that end-to-end tests work on: one of the run's own, or the one that the environment names."""

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from provisioner_devcluster import NodeCluster

KUBECONFIG_VARIABLE = "E2E_KUBECONFIG"
"""Names the kubeconfig of an existing cluster's administrator, to be used instead of a cluster with a node of our own."""

IMAGE_VARIABLE = "E2E_IMAGE"
"""Names the product's image, as that cluster's nodes can pull it."""


class IncompleteError(Exception):
    """The environment names a cluster, and not all that is needed to use it."""


@dataclass(frozen=True, slots=True)
class GivenCluster:
    """An existing cluster, neither started nor stopped here."""

    kubeconfig: Path
    image: str
    """The product's image."""


def given_cluster() -> GivenCluster | None:
    """The cluster that the environment names, if it names one."""
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
    """The cluster, ready."""
    given = given_cluster()
    return nullcontext(given) if given else NodeCluster.start()
