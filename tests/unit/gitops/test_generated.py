"""The generated files in `gitops/` are current and complete."""

import pytest
import yaml

from provisioner_operator.api.v1alpha1.enums import CancelReason, EndReason, PendingReason, PoolReason
from support.gitops.argocd_config import ARGOCD_CONFIG, CUSTOMIZATIONS, FLUX_EXPRESSIONS, actions_of, argocd_config
from support.gitops.objects import KINDS, jobs, pools
from support.gitops.requests import PATCHES, RETRY
from support.gitops.testdata import files_of_tests

HEALTH = "resource.customizations.health.provisioner.dev_"


def test_the_patch_of_argocd_cm_is_current() -> None:
    assert ARGOCD_CONFIG.read_text("utf-8") == argocd_config(), "run `make gitops`"


def test_the_tests_in_argo_cds_layout_are_current() -> None:
    written = files_of_tests()
    for path, text in written.items():
        assert path.read_text("utf-8") == text, "run `make gitops`"
    kept = {path for path in CUSTOMIZATIONS.rglob("*") if path.suffix == ".yaml"}
    assert kept == written.keys()


def test_every_kind_has_a_health_in_each_engine() -> None:
    config = yaml.safe_load(ARGOCD_CONFIG.read_text("utf-8"))["data"]
    expressions = yaml.safe_load(FLUX_EXPRESSIONS.read_text("utf-8"))["healthCheckExprs"]

    assert {key.removeprefix(HEALTH) for key in config if key.startswith(HEALTH)} == KINDS.keys()
    assert [each["kind"] for each in expressions] == list(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_action_is_a_request_of_the_product(kind: str) -> None:
    known = set(PATCHES.get(kind, {}))

    assert set(actions_of(kind)) == (known | {RETRY} if kind == "ProvisionerJob" else known)


@pytest.mark.parametrize("script", sorted(CUSTOMIZATIONS.rglob("*.lua")), ids=lambda path: "-".join(path.parts[-3:]))
def test_no_script_needs_a_library_that_argo_cd_closes(script: str) -> None:
    """Scripts of argocd-cm have only the base and table libraries, and two functions of `os`."""
    text = CUSTOMIZATIONS.joinpath(script).read_text("utf-8")

    assert [each for each in ("string.", "math.", "io.", "debug.", "require") if each in text] == []


def test_the_objects_have_every_reason() -> None:
    """Or else the tests of the engines leave some out."""
    of_jobs = {each["reason"] for job in jobs() for each in job.body["status"]["conditions"]}
    of_pools = {each["reason"] for pool in pools() for each in pool.body["status"]["conditions"]}

    assert of_jobs >= {*PendingReason, *EndReason, *CancelReason}
    assert of_pools >= {*PoolReason}
