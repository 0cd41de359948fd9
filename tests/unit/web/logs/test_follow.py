"""A log is followed to the end of its run: from the daemon's Pod, from the archive, and from one after the other."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.kube.errors import ApiError, ForbiddenError, NotFoundError, UnreachableError
from provisioner_operator.web.logs.follow import follow_log
from provisioner_operator.web.logs.job_changes import JobChanges
from support.builders.logs import (
    ARCHIVES,
    COMPLETED,
    JOB,
    JOB_PATH,
    PENDING,
    POD_LOG,
    RUNNING,
    STARTED,
    a_log_client,
    a_logged_job,
    an_archive,
    in_a_pod,
    printed,
)
from support.scripted_client import Answer, Hang, ScriptedClient, a_page
from support.virtual_time import now, virtual_time


def each(seconds: float) -> JobChanges:
    """The job changes, each time after this time."""

    async def changed(uid: str, version: int) -> None:
        assert (uid, version) == ("u", 5)
        await asyncio.sleep(seconds)

    return changed


async def texts(client: ScriptedClient, after: int = 0, seen: list[str] | None = None, changes: float = 5) -> list[str]:
    """Follow to the end, with these seconds between changes of the job; `seen` has what came before an error."""
    seen = [] if seen is None else seen
    async for line in follow_log(client, JOB, each(changes), after):
        assert line.number == after + len(seen) + 1
        seen.append(line.text)
    return seen


@virtual_time
async def test_the_archive_of_a_daemon_outside_pods_is_followed_as_it_grows() -> None:
    client = a_log_client(job=PENDING)
    client.answers("GET", JOB_PATH, RUNNING, COMPLETED)
    client.answers("GET", ARCHIVES, a_page(), a_page(an_archive("a", "b", "c", "d")))
    client.watched(
        ARCHIVES, 10, ("ADDED", an_archive("a")), ("BOOKMARK", {}), 20, ("MODIFIED", an_archive("a", "b", "c")), Hang()
    )

    assert await texts(client, changes=60) == ["a", "b", "c", "d"]
    assert now() == 120
    assert client.sent("READ") == [], "there is no Pod"


@virtual_time
async def test_an_archive_of_an_earlier_job_of_the_name_is_not_shown() -> None:
    client = a_log_client()
    client.answers("GET", JOB_PATH, COMPLETED)
    client.answers("GET", ARCHIVES, a_page(an_archive("old", uid="an-earlier-job")), a_page(an_archive("new")))

    assert await texts(client) == ["new"]


@virtual_time
async def test_the_output_of_the_daemons_pod_is_shown_at_once_and_the_archive_has_the_rest() -> None:
    client = in_a_pod()
    client.answers("GET", JOB_PATH, COMPLETED)
    client.reads(POD_LOG, printed("a", 1), printed("other", 2, job="dev-8"), 1, printed("b", 3), "no JSON", Hang())
    client.answers("GET", ARCHIVES, a_page(an_archive("a", "b", "c")))

    assert await texts(client) == ["a", "b", "c"]
    (read,) = client.sent("READ")
    assert read.parameters == {"timestamps": "true", "follow": "true", "sinceTime": STARTED}


@virtual_time
async def test_a_stream_that_breaks_goes_on_where_it_broke() -> None:
    client = in_a_pod()
    client.answers("GET", JOB_PATH, COMPLETED)
    client.reads(POD_LOG, printed("a", 1), printed("a", 2), UnreachableError("quiet"))
    client.reads(POD_LOG, printed("a", 1), printed("a", 2), printed("b", 3), Hang())
    client.answers("GET", ARCHIVES, a_page(an_archive("a", "a", "b")))

    assert await texts(client) == ["a", "a", "b"]
    assert [read.parameters["sinceTime"] for read in client.sent("READ")] == [STARTED, "2027-01-15T08:00:00.000000002Z"]


@virtual_time
async def test_a_pod_with_several_containers_is_asked_for_that_of_the_daemon() -> None:
    client = in_a_pod()
    client.answers("GET", JOB_PATH, COMPLETED)
    client.reads(POD_LOG, ApiError(400, "a container name must be specified"))
    client.reads(POD_LOG, printed("a", 1), Hang())
    client.answers("GET", ARCHIVES, a_page(an_archive("a")))

    assert await texts(client) == ["a"]
    assert client.sent("READ")[1].parameters["container"] == "daemon"


@pytest.mark.parametrize("refusal", [NotFoundError(404, "no Pod"), ForbiddenError(403, "no pods/log")])
@virtual_time
async def test_the_archive_is_followed_where_the_pods_output_cannot_be_read(refusal: Exception) -> None:
    client = in_a_pod()
    client.answers("GET", JOB_PATH, COMPLETED)
    client.reads(POD_LOG, printed("a", 1), refusal)
    client.answers("GET", ARCHIVES, a_page(an_archive("a")))
    client.watched(ARCHIVES, 10, ("MODIFIED", an_archive("a", "b")), Hang())

    assert await texts(client, changes=30) == ["a", "b"]


@pytest.mark.parametrize("archives", [a_page(), ForbiddenError(403, "no configmaps")], ids=["none", "forbidden"])
@virtual_time
async def test_a_log_that_has_no_archive_ends_with_what_the_pod_has(archives: Any) -> None:
    client = in_a_pod()
    client.answers("GET", JOB_PATH, COMPLETED)
    client.reads(POD_LOG, printed("a", 1), Hang())
    client.reads(POD_LOG, printed("a", 1), printed("b", 2))
    client.answers("GET", ARCHIVES, archives)

    assert await texts(client) == ["a", "b"]


@virtual_time
async def test_who_comes_back_gets_only_further_lines() -> None:
    live = in_a_pod()
    live.answers("GET", JOB_PATH, COMPLETED)
    live.reads(POD_LOG, printed("a", 1), printed("b", 2), Hang())
    live.answers("GET", ARCHIVES, a_page(an_archive("a", "b", "c")))
    assert await texts(live, after=1) == ["b", "c"]

    ended = a_log_client(job=COMPLETED)
    ended.answers("GET", ARCHIVES, a_page(an_archive("a", "b", "c")))
    assert await texts(ended, after=2) == ["c"]
    assert ended.sent("READ") == []


@pytest.mark.parametrize(
    "end",
    [
        NotFoundError(404, "gone"),
        a_logged_job(Phase.CANCELED, started=False),
        {"metadata": {"name": "dev-7", "uid": "v"}},
    ],
)
@virtual_time
async def test_a_job_that_never_starts_has_no_lines(end: Answer) -> None:
    client = a_log_client(job=PENDING)
    client.answers("GET", JOB_PATH, end)

    assert await texts(client) == []


@virtual_time
async def test_an_outage_is_waited_out_and_the_end_is_seen_after_it() -> None:
    client = a_log_client()
    client.answers("GET", JOB_PATH, RUNNING, UnreachableError("away"), COMPLETED)
    client.answers("GET", ARCHIVES, a_page(), UnreachableError("away"), a_page(an_archive("a")))
    client.watched(ARCHIVES, Hang())

    assert await texts(client) == ["a"]


@virtual_time
async def test_a_log_that_the_user_may_not_read_is_refused() -> None:
    client = a_log_client()
    client.answers("GET", JOB_PATH, COMPLETED)
    client.answers("GET", ARCHIVES, ForbiddenError(403, "no configmaps"))
    with pytest.raises(ForbiddenError, match="no configmaps"):
        await texts(client)

    ended = a_log_client(job=COMPLETED)
    ended.answers("GET", ARCHIVES, ForbiddenError(403, "no configmaps"))
    with pytest.raises(ForbiddenError, match="no configmaps"):
        await texts(ended)


@virtual_time
async def test_a_right_to_read_the_job_that_is_withdrawn_ends_the_stream() -> None:
    client = in_a_pod()
    client.answers("GET", JOB_PATH, ForbiddenError(403, "no get"))
    client.reads(POD_LOG, printed("a", 1), Hang())
    seen: list[str] = []
    with pytest.raises(ForbiddenError, match="no get"):
        await texts(client, seen=seen)
    assert seen == ["a"]


@virtual_time
async def test_another_job_of_the_name_is_not_followed() -> None:
    client = ScriptedClient()
    client.answers("GET", JOB_PATH, {"metadata": {"name": "dev-7", "uid": "v"}})
    with pytest.raises(NotFoundError):
        await texts(client)


@pytest.mark.parametrize("where", [in_a_pod, a_log_client], ids=["pod", "archive"])
@virtual_time
async def test_nothing_goes_on_for_a_reader_who_has_left(where: Callable[[], ScriptedClient]) -> None:
    client = where()
    client.answers("GET", JOB_PATH, COMPLETED)
    client.reads(POD_LOG, printed("a", 1), Hang())
    client.answers("GET", ARCHIVES, a_page(an_archive("a")))
    before = asyncio.all_tasks()
    async with aclosing(follow_log(client, JOB, each(60))) as lines:
        assert (await anext(lines)).text == "a"
        assert asyncio.all_tasks() != before
    await asyncio.sleep(1)  # the watches are closed by the loop
    assert asyncio.all_tasks() == before
