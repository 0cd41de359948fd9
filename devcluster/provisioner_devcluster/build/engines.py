"""Engines of what the product ships for others, built from their own modules: Argo CD, Flux and Helm.

Called by tests of the customizations in `gitops/` and of the chart, and by `prepare --gitops --helm`. Nothing else needs them:
where they cannot be built, as without a module proxy, only these tests are left out.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from provisioner_devcluster.build.go_build import build
from provisioner_devcluster.build.go_modules import ARGOCD, FLUX, HELM_3, HELM_4
from provisioner_devcluster.errors import DevClusterError

if TYPE_CHECKING:
    from pathlib import Path

    from provisioner_devcluster.build.go_modules import GoModule

GITOPS = (ARGOCD, FLUX)
HELM = (HELM_3, HELM_4)


class EngineImpossibleError(DevClusterError):
    """An engine that cannot be built on this machine, where that is no failure."""


def find_engine(module: GoModule) -> Path:
    """Return the program of an engine, and build it if necessary.

    Raises EngineImpossibleError if it cannot be built; in CI the error of the build itself, because there all tests have to run.
    """
    try:
        return build(module)
    except DevClusterError as error:
        if os.environ.get("CI") == "true":
            raise
        raise EngineImpossibleError(str(error)) from error
