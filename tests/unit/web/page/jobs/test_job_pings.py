"""The live stream of one job."""

import asyncio
from typing import TYPE_CHECKING, Any, cast

from provisioner_operator.api.v1alpha1.names import JOBS
from provisioner_operator.web.page.jobs.job_stream import job_events
from provisioner_operator.web.page.jobs.rights import JobRights
from support.builders.manifests import a_job_manifest
from support.coder.api_world import ACME, OTHER, ApiWorld, a_build_job, a_stored, ran
from support.virtual_time import now, virtual_time

if TYPE_CHECKING:
    from provisioner_operator.kube.client import KubeClient


class Reader:
    """Reads the same job again and again."""

    async def get(self, _path: str) -> Any:
        return a_build_job(2, **ran("Running"))


@virtual_time
async def test_threat_21_foreign_changes_show_in_no_ping() -> None:
    world = ApiWorld()

    async def work() -> None:
        for number in range(60):
            await asyncio.sleep(1)
            world.index.apply(JOBS, "ADDED", a_stored(JOBS, a_job_manifest(f"secret-{number}"), namespace=OTHER))

    rights = JobRights("sam", ACME, frozenset())
    client = cast("KubeClient", Reader())
    source = job_events(world.app.state.context, client, ACME, "dev-2", rights, sees_daemons=True)
    working = asyncio.ensure_future(work())
    try:
        assert (await anext(source)).startswith(b"retry: ")
        assert (await anext(source)).startswith(b"event: view")
        assert (await anext(source), now() >= 15) == (b": ping\n\n", True)
        began = now()
        assert (await anext(source), now() - began >= 15) == (b": ping\n\n", True)
    finally:
        working.cancel()
