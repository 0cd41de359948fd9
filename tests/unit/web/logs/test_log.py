"""The log of a job as it is now: its source, and what is missing."""

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.model.request_errors import Cause
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import ForbiddenError, KubeError, NotFoundError, UnreachableError
from provisioner_operator.web.logs.log import Log, LogSource, read_log
from provisioner_operator.web.logs.recent_lines import MOST_LINES
from support.builders.logs import (
    COMPLETED,
    JOB,
    JOB_PATH,
    PENDING,
    POD_LOG,
    a_logged_job,
    an_archive,
    in_a_pod,
    printed,
)
from support.scripted_client import Body, ScriptedClient
from support.virtual_time import virtual_time

ARCHIVE = paths.config_map("acme", "dev-7-log")
NOTICE = "--- 12 bytes were left out here: the log exceeds its limit ---"


def texts(log: Log) -> list[str]:
    return [line.text for line in log.lines]


def a_client_of(job: Body) -> ScriptedClient:
    client = ScriptedClient()
    client.answers("GET", JOB_PATH, job)
    return client


@virtual_time
async def test_a_run_in_a_pod_is_read_live() -> None:
    client = in_a_pod()
    client.reads(POD_LOG, printed("a", 1), printed("other", 2, job="dev-8"), printed("b", 3))

    log = await read_log(client, JOB)

    assert (texts(log), log.source, log.name) == (["a", "b"], LogSource.POD, "d1")
    assert (log.truncated, log.is_complete) == (False, False)


@virtual_time
async def test_threat_22_of_a_long_run_the_end_is_kept() -> None:
    client = in_a_pod()
    client.reads(POD_LOG, *(printed(f"line {number}", number) for number in range(MOST_LINES + 2)))

    log = await read_log(client, JOB)

    assert (len(log.lines), log.lines[-1].text, log.truncated) == (MOST_LINES + 1, f"line {MOST_LINES + 1}", True)
    assert [line.number for line in log.lines[:2]] == [2, 3]
    (read,) = client.sent("READ")
    assert int(read.parameters["limitBytes"]) > 0


@pytest.mark.parametrize(
    "refusal", [NotFoundError(404, "no Pod"), ForbiddenError(403, "no pods/log"), UnreachableError("away")]
)
@virtual_time
async def test_a_run_whose_pod_cannot_be_read_has_its_archive(refusal: KubeError) -> None:
    client = in_a_pod()
    client.reads(POD_LOG, printed("a", 1), refusal)
    client.answers("GET", ARCHIVE, an_archive("a", "b"))

    log = await read_log(client, JOB)

    assert (texts(log), log.source, log.name, log.is_complete) == (["a", "b"], LogSource.ARCHIVE, "dev-7-log", False)


@virtual_time
async def test_an_ended_run_has_its_archive_which_says_where_it_was_cut() -> None:
    client = a_client_of(COMPLETED)
    whole, cut = an_archive("a"), an_archive("a")
    cut["data"]["log"] += f"{NOTICE}\n"
    client.answers("GET", ARCHIVE, whole, cut)

    log = await read_log(client, JOB)
    assert (texts(log), log.truncated, log.is_complete) == (["a"], False, True)
    log = await read_log(client, JOB)
    assert (texts(log), log.truncated, log.is_complete) == (["a", NOTICE], True, True)


@pytest.mark.parametrize(
    ("job", "cause", "is_complete"),
    [
        (PENDING, Cause.NO_LOG, False),
        (a_logged_job(Phase.CANCELED, started=False), Cause.NO_LOG, True),
        (COMPLETED, Cause.NOT_ARCHIVED, True),
        (a_logged_job(Phase.RUNNING, daemon=""), Cause.NOT_ARCHIVED_YET, False),
    ],
    ids=["pending", "never started", "not archived", "not archived yet"],
)
@virtual_time
async def test_a_log_that_is_missing_has_a_reason(job: Body, cause: Cause, is_complete: bool) -> None:  # noqa: FBT001 - a column
    client = a_client_of(job)
    client.answers("GET", ARCHIVE, NotFoundError(404, "no ConfigMap"))

    log = await read_log(client, JOB)

    assert (log.source, log.lines, log.missing, log.is_complete) == (LogSource.NONE, (), cause, is_complete)
    assert "dev-7" in log.message


@virtual_time
async def test_an_archive_of_an_earlier_job_of_the_name_is_no_log_of_this_one() -> None:
    client = a_client_of(COMPLETED)
    client.answers("GET", ARCHIVE, an_archive("old", uid="an-earlier-job"))

    assert (await read_log(client, JOB)).missing is Cause.NOT_ARCHIVED


@virtual_time
async def test_an_archive_that_the_user_may_not_read_is_refused() -> None:
    client = a_client_of(COMPLETED)
    client.answers("GET", ARCHIVE, ForbiddenError(403, "no configmaps"))
    with pytest.raises(ForbiddenError, match="no configmaps"):
        await read_log(client, JOB)


@virtual_time
async def test_a_run_whose_daemon_is_gone_has_its_archive() -> None:
    client = a_client_of(a_logged_job(Phase.RUNNING))
    client.answers("GET", paths.daemon("acme", "d1"), NotFoundError(404, "no daemon"))
    client.answers("GET", ARCHIVE, an_archive("a"))

    assert texts(await read_log(client, JOB)) == ["a"]
