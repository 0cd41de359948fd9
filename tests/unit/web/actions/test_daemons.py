"""Words about a daemon that its pool cordoned, and drains of which some jobs cannot be killed."""

from typing import Any

from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import ForbiddenError
from provisioner_operator.web.actions.daemons import drain, uncordon
from provisioner_operator.web.actions.outcome import Outcome
from provisioner_operator.web.actions.target import ObjectRef
from support.scripted_client import ScriptedClient, a_page
from support.virtual_time import virtual_time

DAEMON = ObjectRef("acme", "d1", "u")
PATH = paths.daemon("acme", "d1")


def a_daemon(*, cordoned: bool = False, **annotations: str) -> dict[str, Any]:
    metadata = {"name": "d1", "namespace": "acme", "uid": "u"}
    marks = {f"provisioner.dev/{key.replace('_', '-')}": value for key, value in annotations.items()}
    return {"metadata": metadata | {"annotations": marks}, "spec": {"cordoned": cordoned}}


def a_job(name: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "acme", "uid": f"uid-of-{name}"}
    return {"metadata": metadata, "spec": {}, "status": {"phase": "Running", "assignment": {"daemon": "d1"}}}


@virtual_time
async def test_who_uncordons_a_daemon_that_its_pool_removes_learns_so() -> None:
    client = ScriptedClient()
    client.answers("GET", PATH, a_daemon(cordoned=True, cordoned_by="big"))
    client.answers("PATCH", PATH, a_daemon())

    outcome = await uncordon(client, DAEMON)

    assert outcome.message == "It gets jobs again. Pool big is about to remove it and may cordon it again."


@virtual_time
async def test_a_drain_by_force_says_which_runs_it_could_not_kill() -> None:
    client = ScriptedClient()
    client.answers("GET", PATH, a_daemon())
    client.answers("PATCH", PATH, a_daemon(cordoned=True))
    client.answers("GET", paths.jobs("acme"), a_page(a_job("b"), a_job("a")))
    for name, answer in (("a", ForbiddenError(403, "no")), ("b", a_job("b"))):
        client.answers("GET", paths.job("acme", name), a_job(name))
        client.answers("PATCH", paths.job("acme", name), answer)

    drained = await drain(client, DAEMON, force=True, reason="maintenance")

    assert drained.jobs == ("a", "b")
    (_, refused), (_, killed) = drained.kills
    assert isinstance(refused, ForbiddenError)
    assert isinstance(killed, Outcome)
    assert killed.message == "Its run is being killed."
