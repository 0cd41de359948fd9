"""Words about an archive: where it is, what is missing from it, and why there is none."""

from typing import Any

import pytest

from provisioner_operator.cli.jobs.log_archive import describe_archive, no_archive
from support.builders.stored import a_job_model


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ({"phase": "Completed"}, "From the archive, ConfigMap job-log:"),
        (
            {"phase": "Completed", "log": {"configMap": "job-log", "bytes": 900, "truncated": True}},
            "From the archive, ConfigMap job-log, 4 of 900 bytes: its middle was left out, where a line says so:",
        ),
        ({"phase": "Running"}, "From the archive, ConfigMap job-log, which is updated every 10 s at first"),
    ],
)
def test_an_archive_is_introduced_with_what_is_missing(status: dict[str, Any], text: str) -> None:
    assert describe_archive(a_job_model("job", status=status), "abc\n").startswith(text)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ({"phase": "Pending"}, "never started"),
        ({"phase": "Failed", "startedAt": "2027-01-15T08:00:00Z"}, "was not archived"),
        ({"phase": "Running", "startedAt": "2027-01-15T08:00:00Z"}, "not archived yet"),
    ],
)
def test_a_missing_archive_is_explained(status: dict[str, Any], message: str) -> None:
    assert message in str(no_archive(a_job_model("job", status=status)))
