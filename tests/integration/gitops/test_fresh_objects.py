"""Nothing that the API server has just stored counts as done before the controller has observed it."""

from support.gitops.engines import argocd_health, kstatus_and_flux
from support.manifests import Manifest

IN_PROGRESS = ("InProgress", "InProgress")
WITHOUT_CONDITIONS = ("Current", "InProgress")
"""A daemon's object: it is registered, and nobody waits for it. Flux's expressions wait for its heartbeat."""


def test_flux_and_kstatus_wait_for_the_controller(fresh: dict[str, Manifest]) -> None:
    judged = dict(zip(fresh, kstatus_and_flux(fresh.values()), strict=True))

    assert judged.pop("ProvisionerDaemon") == WITHOUT_CONDITIONS
    assert judged == dict.fromkeys(judged, IN_PROGRESS)


def test_argo_cd_waits_for_the_controller_and_says_so(fresh: dict[str, Manifest]) -> None:
    judged = dict(zip(fresh, argocd_health(fresh.values()), strict=True))

    assert judged.pop("ProvisionerDaemon") == ("Progressing", "The daemon is Offline.")
    assert {health for health, _ in judged.values()} == {"Progressing"}
    assert [message for _, message in judged.values() if "The controller has not observed this" not in message] == []
