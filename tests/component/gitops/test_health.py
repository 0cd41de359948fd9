"""Argo CD, Flux and kstatus judge objects alike, in every state that the controller reports."""

import pytest
import yaml

from support.gitops.argocd_config import CUSTOMIZATIONS
from support.gitops.engines import argocd_health, kstatus_and_flux
from support.gitops.objects import DEGRADED, HEALTHY, KINDS, PROGRESSING, SUSPENDED, changed_after_its_end

CURRENT, IN_PROGRESS, FAILED = "Current", "InProgress", "Failed"
AS_KSTATUS = {HEALTHY: CURRENT, PROGRESSING: IN_PROGRESS, SUSPENDED: IN_PROGRESS, DEGRADED: FAILED}
"""Argo CD's words in those of kstatus, which does not distinguish an object that is suspended."""


@pytest.mark.parametrize("kind", KINDS)
def test_argo_cd_judges_every_object_as_it_should(kind: str) -> None:
    objects = list(KINDS[kind]())
    judged = argocd_health(each.body for each in objects)

    wanted = {each.name: each.health for each in objects}
    assert {each.name: health for each, (health, _) in zip(objects, judged, strict=True)} == wanted


@pytest.mark.parametrize("kind", KINDS)
def test_flux_agrees_with_argo_cd(kind: str) -> None:
    objects = list(KINDS[kind]())
    judged = kstatus_and_flux(each.body for each in objects)

    wanted = {each.name: AS_KSTATUS[each.health] for each in objects}
    assert {each.name: flux for each, (_, flux) in zip(objects, judged, strict=True)} == wanted


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "ProvisionerDaemon"])
def test_kstatus_agrees_with_argo_cd(kind: str) -> None:
    """It calls an object that is being deleted Terminating, which is in progress to the others."""
    objects = list(KINDS[kind]())
    judged = [status for status, _ in kstatus_and_flux(each.body for each in objects)]

    wanted = {
        each.name: "Terminating" if "deletionTimestamp" in each.body["metadata"] else AS_KSTATUS[each.health]
        for each in objects
    }
    assert {each.name: status for each, status in zip(objects, judged, strict=True)} == wanted


def test_flux_waits_until_the_controller_has_recorded_a_change_of_an_ended_job_and_argo_cd_does_not() -> None:
    changed = changed_after_its_end()

    assert kstatus_and_flux([changed]) == [(IN_PROGRESS, IN_PROGRESS)]
    assert argocd_health([changed])[0][0] == HEALTHY


@pytest.mark.parametrize("kind", KINDS)
def test_the_tests_in_argo_cds_layout_pass(kind: str) -> None:
    folder = CUSTOMIZATIONS / kind
    tests = yaml.safe_load((folder / "health_test.yaml").read_text("utf-8"))["tests"]
    bodies = [yaml.safe_load((folder / each["inputPath"]).read_text("utf-8")) for each in tests]

    assert argocd_health(bodies) == [
        (each["healthStatus"]["status"], each["healthStatus"]["message"]) for each in tests
    ]
