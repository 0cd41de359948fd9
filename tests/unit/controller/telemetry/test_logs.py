"""A line of the log is one JSON object with the fields that monitoring reads, or plain text."""

import json
import logging
from collections.abc import Iterator

import pytest

from provisioner_operator.controller.telemetry import logs


@pytest.fixture(autouse=True)
def logging_setup(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The set-up of the process that runs the tests, restored at the end."""
    root = logging.getLogger()
    quiet = [logging.getLogger(name) for name in ("kopf", "kopf.objects", "aiohttp.access")]
    before, level, levels = root.handlers[:], root.level, [each.level for each in quiet]
    monkeypatch.setattr(root, "handlers", [])  # so that those of pytest are not closed
    yield
    root.handlers[:] = before
    root.setLevel(level)
    for each, former in zip(quiet, levels, strict=True):
        each.setLevel(former)


def test_json_has_the_fields_that_monitoring_reads(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    logging.getLogger("some.module").warning("Job %s is %s", "acme/one", "Failed", extra={"job": "acme/one"})
    line = json.loads(capsys.readouterr().err)
    assert line.pop("timestamp")
    assert line == {"message": "Job acme/one is Failed", "level": "WARNING", "logger": "some.module", "job": "acme/one"}


def test_text_is_a_line_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("text")
    logging.getLogger("some.module").info("Hello")
    assert capsys.readouterr().err.endswith("INFO    some.module: Hello\n")


@pytest.mark.parametrize("name", ["kopf.objects", "kopf.activities", "aiohttp.access"])
def test_what_libraries_log_of_each_object_and_request_is_left_out(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("text")
    logging.getLogger(name).info("each object")
    logging.getLogger(name).warning("a warning")
    assert [line.split(": ")[1] for line in capsys.readouterr().err.splitlines()] == ["a warning"]


def test_debug_lines_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("text")
    logging.getLogger("some.module").debug("detail")
    assert capsys.readouterr().err == ""
