"""Cordon, uncordon and drain daemons."""

from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.names import CORDONED_BY_ANNOTATION
from provisioner_operator.core.daemons.requests import cordon_patch
from provisioner_operator.core.jobs.requests import kill_patch
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.kube import paths, selectors
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import KubeError
from provisioner_operator.kube.object_states import Body, daemon_report, job_state, meta_of
from provisioner_operator.web.actions.change import change
from provisioner_operator.web.actions.outcome import Outcome
from provisioner_operator.web.actions.target import ObjectRef, Target

FORCED = "its daemon is being drained by force"
"""Reason of a cancel for which the user gives none."""


@dataclass(frozen=True, slots=True)
class Drain:
    """Beginning of a drain."""

    cordon: Outcome
    jobs: tuple[str, ...]
    """Names of the unfinished jobs on the daemon, for whose ends the drain waits."""
    kills: tuple[tuple[str, Outcome | KubeError], ...] = ()
    """Outcome of each forced cancel by the job's name, or the error that the API server answered."""


async def cordon(client: KubeClient, daemon: Target) -> Outcome:
    """Assign no further jobs to a daemon; its running jobs continue."""
    return await _set_cordoned(client, daemon, cordoned=True)


async def uncordon(client: KubeClient, daemon: Target) -> Outcome:
    """Assign jobs to a daemon again."""
    return await _set_cordoned(client, daemon, cordoned=False)


async def drain(client: KubeClient, daemon: Target, *, force: bool = False, reason: str = FORCED) -> Drain:
    """Cordon a daemon and return the jobs that it still has; `force` kills their runs. It stays cordoned."""
    cordoned = await cordon(client, daemon)
    if cordoned.is_refused:
        return Drain(cordoned, ())
    assigned = await _assigned(client, daemon)
    names = tuple(job.name for job in assigned)
    if not force:
        return Drain(cordoned, names)
    return Drain(cordoned, names, tuple([(job.name, await _kill(client, daemon, job, reason)) for job in assigned]))


async def _set_cordoned(client: KubeClient, daemon: Target, *, cordoned: bool) -> Outcome:
    def decide(body: Body) -> JsonPatch:
        return cordon_patch(daemon_report(body), cordoned=cordoned)

    def describe(before: Body) -> str:
        if cordoned:
            return "It is cordoned: it gets no further jobs."
        pool = daemon_report(before).meta.annotations.get(CORDONED_BY_ANNOTATION)
        note = f" Pool {pool} is about to remove it and may cordon it again." if pool else ""
        return f"It gets jobs again.{note}"

    return await change(client, paths.daemon(daemon.namespace, daemon.name), daemon, decide, describe)


async def _assigned(client: KubeClient, daemon: Target) -> list[ObjectRef]:
    selector = selectors.unfinished_jobs_of(daemon.name)
    pages = client.list_pages(paths.jobs(daemon.namespace), field_selector=selector)
    found = [meta_of(item) async for page in pages for item in page["items"]]
    return sorted((ObjectRef(each.namespace, each.name, each.uid) for each in found), key=lambda job: job.name)


async def _kill(client: KubeClient, daemon: Target, job: ObjectRef, reason: str) -> Outcome | KubeError:
    def decide(body: Body) -> JsonPatch:
        return kill_patch(job_state(body), job.uid, daemon.name, reason)

    try:
        return await change(
            client, paths.job(job.namespace, job.name), job, decide, lambda _: "Its run is being killed."
        )
    except KubeError as error:
        return error
