"""The example of an organization in git, as Argo CD and Flux read it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from support.gitops.argocd_config import FLUX_EXPRESSIONS
from support.gitops.engines import check_example
from support.manifests import MANIFESTS, Manifest

EXAMPLE = MANIFESTS / "examples" / "gitops"


def _documents(file: Path, kind: str) -> list[Manifest]:
    return [each for each in yaml.safe_load_all(file.read_text("utf-8")) if each["kind"] == kind]


APPLICATIONS = _documents(EXAMPLE / "argocd" / "staging.yaml", "Application")
KUSTOMIZATIONS = _documents(EXAMPLE / "flux" / "staging.yaml", "Kustomization")
ALL = [*APPLICATIONS, *KUSTOMIZATIONS]


@pytest.mark.parametrize("body", ALL, ids=lambda body: f"{body['kind']}-{body['metadata']['name']}")
def test_it_has_only_known_fields(body: Manifest) -> None:
    check_example(body)


@pytest.mark.parametrize("body", [APPLICATIONS[0], KUSTOMIZATIONS[0]], ids=lambda body: str(body["kind"]))
def test_an_unknown_field_would_be_found(body: Manifest) -> None:
    with pytest.raises(AssertionError, match="unknown field"):
        check_example(body | {"spec": body["spec"] | {"pruned": True}})


def test_each_engine_applies_the_platform_and_then_the_workspaces() -> None:
    by_argocd = {each["spec"]["source"]["path"]: _wave(each) for each in APPLICATIONS}
    by_flux = {each["spec"]["path"].removeprefix("./"): each["spec"].get("dependsOn") for each in KUSTOMIZATIONS}

    assert by_argocd == {"platform/staging": 0, "overlays/staging": 1}
    assert by_flux == {"platform/staging": None, "overlays/staging": [{"name": "staging-platform"}]}
    assert [path for path in by_argocd if not (EXAMPLE / path / "kustomization.yaml").exists()] == []


def test_flux_uses_the_products_expressions() -> None:
    wanted = yaml.safe_load(FLUX_EXPRESSIONS.read_text("utf-8"))["healthCheckExprs"]

    assert KUSTOMIZATIONS[-1]["spec"]["healthCheckExprs"] == wanted


def _wave(body: Manifest) -> int:
    annotations: dict[str, Any] = body["metadata"]["annotations"]
    return int(annotations["argocd.argoproj.io/sync-wave"])
