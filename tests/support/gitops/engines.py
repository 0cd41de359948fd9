"""Argo CD and Flux as they judge objects: their own code, in programs that contact no cluster."""

import functools
import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from provisioner_devcluster.build.engines import EngineImpossibleError, find_engine
from provisioner_devcluster.build.go_modules import ARGOCD, FLUX, GoModule
from support.gitops.argocd_config import ARGOCD_CONFIG, FLUX_EXPRESSIONS
from support.manifests import Manifest

ANSWER_TIMEOUT = 300
"""Timeout in seconds; hundreds of objects take less than one on a quiet machine."""


@dataclass(frozen=True, slots=True)
class Impact:
    """The change that an action of Argo CD makes to an object."""

    operation: str
    resource: Manifest
    patch: Manifest | None
    """The merge patch that Argo CD's server sends, if the operation is "patch"."""


def argocd_health(bodies: Iterable[Manifest]) -> list[tuple[str, str]]:
    """Return the health of each object, and its message."""
    answers = _argocd({"evaluate": "health", "object": body} for body in bodies)
    return [(each["health"]["status"], each["health"].get("message", "")) for each in answers]


def argocd_actions(bodies: Iterable[Manifest]) -> list[list[Manifest]]:
    """Return the actions that are offered for each object, in the order of their names."""
    answers = _argocd({"evaluate": "discovery", "object": body} for body in bodies)
    return [each.get("actions", []) for each in answers]


def argocd_impact(action: str, body: Manifest) -> Impact:
    """Run an action, which has to change or make one object, and return what it does."""
    (answer,) = _argocd([{"evaluate": "action", "action": action, "object": body}])
    (impact,) = answer["impacts"]
    return Impact(impact["operation"], impact["resource"], impact.get("patch"))


def kstatus_and_flux(bodies: Iterable[Manifest]) -> list[tuple[str, str]]:
    """Return the status of each object by kstatus alone, and by Flux's expressions."""
    answers = _ask(FLUX, FLUX_EXPRESSIONS, bodies)
    return [(each["kstatus"], each["flux"]) for each in answers]


def check_example(body: Manifest) -> None:
    """Check that an Application of Argo CD, or a Kustomization of Flux, has no field that they do not know."""
    if body["kind"] == "Application":
        _argocd([{"evaluate": "application", "object": body}])
    else:
        _ask(FLUX, FLUX_EXPRESSIONS, [body])


def _argocd(requests: Iterable[Manifest]) -> list[Manifest]:
    return _ask(ARGOCD, ARGOCD_CONFIG, requests)


def _ask(module: GoModule, settings: Path, questions: Iterable[Manifest]) -> list[Manifest]:
    done = subprocess.run(
        [str(_engine(module)), str(settings)],
        input="".join(f"{json.dumps(each)}\n" for each in questions),
        check=True,
        capture_output=True,
        text=True,
        timeout=ANSWER_TIMEOUT,
    )
    answers: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    errors = [each["error"] for each in answers if "error" in each]
    assert not errors, "\n".join(errors)
    return answers


@functools.cache
def _engine(module: GoModule) -> Path:
    """Return the program; skip the test where there is none, or fail it in CI."""
    try:
        return find_engine(module)
    except EngineImpossibleError as error:
        pytest.skip(f"the engine of {module.name} cannot be built here: {error}")
