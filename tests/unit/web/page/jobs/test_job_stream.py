"""The stream of a job's page while the API server is away."""

from provisioner_operator.core.model.instant import Instant
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import UnreachableError
from provisioner_operator.web.context import WebContext
from provisioner_operator.web.page.jobs.job_stream import job_events
from provisioner_operator.web.page.jobs.rights import JobRights
from provisioner_operator.web.settings import Settings
from provisioner_operator.web.streams import Streams
from support.builders.core import NOON
from support.coder.api_world import ACME, KnownUsers, a_build_job, an_index
from support.scripted_client import ScriptedClient
from support.virtual_time import virtual_time

AWAY = "The API server cannot be reached."


@virtual_time
async def test_a_job_stays_on_its_page_while_the_api_server_is_away_and_is_read_again_afterwards() -> None:
    def clock() -> Instant:
        return Instant(NOON, 0)

    silent_for = 0.0
    index = an_index()
    index.measure_contact(lambda: silent_for)
    context = WebContext(index, KnownUsers(index, {}), Settings(), clock, Streams(clock))
    client, path = ScriptedClient(), paths.job(ACME, "stuck-1")
    body = a_build_job(1, workspace="stuck", spec={"tags": {"zone": "mars"}})
    for answer in (body, UnreachableError("no answer"), body):
        client.answers("GET", path, answer)
    rights = JobRights("sam", ACME, frozenset())
    events = job_events(context, client, ACME, "stuck-1", rights, sees_daemons=True)
    assert b"retry" in await anext(events)
    assert AWAY not in (await anext(events)).decode()

    silent_for = 65.0
    shown = (await anext(events)).decode()
    assert AWAY in shown
    assert "NoMatchingDaemon" in shown

    silent_for = 0.0
    assert AWAY not in (await anext(events)).decode()
