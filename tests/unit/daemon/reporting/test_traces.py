"""Traces of a daemon's runs, and the variable by which its programs join them."""

import logging
from typing import TYPE_CHECKING, Any

import pytest

from provisioner_operator.core.tracing.context import parse_traceparent
from provisioner_operator.daemon.reporting.traces import TRACEPARENT, RunTraces
from provisioner_operator.kube.parsing import parse_job_model
from unit.daemon.builders import a_job_body

if TYPE_CHECKING:
    from provisioner_operator.core.tracing.job_spans import Span

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def an_ended_body(**annotations: str) -> dict[str, Any]:
    """Make the body of a completed job with one stage."""
    body = a_job_body(phase="Completed", instance="i1")
    times = {"startedAt": "2026-01-01T00:00:03Z", "finishedAt": "2026-01-01T00:00:04Z"}
    body["status"] |= {
        "reason": "Completed",
        "finishedAt": times["finishedAt"],
        "timings": [{"stage": "apply"} | times],
    }
    body["metadata"]["annotations"] = annotations
    return body


@pytest.mark.parametrize(
    "annotations", [{}, {"provisioner.dev/traceparent": PARENT}, {"provisioner.dev/traceparent": "?"}]
)
def test_the_programs_of_a_stage_learn_the_span_that_is_sent_at_the_end(annotations: dict[str, str]) -> None:
    sent: list[Span] = []
    traces = RunTraces(sent.extend)
    body = an_ended_body(**annotations)
    told = traces.variables(parse_job_model(body), "apply")
    traces.ended(body)
    assert [each.name for each in sent] == ["queue", "assign", "apply", "RUN WorkspaceBuild"]
    assert {TRACEPARENT: sent[-2].context.traceparent} == told
    assert sent[-1].parent == parse_traceparent(annotations.get("provisioner.dev/traceparent", ""))


def test_off_programs_learn_nothing_and_nothing_is_sent() -> None:
    traces = RunTraces()
    traces.ended({})
    assert traces.variables(parse_job_model(an_ended_body()), "apply") == {}


def test_a_job_that_has_not_ended_has_no_trace() -> None:
    sent: list[Span] = []
    RunTraces(sent.extend).ended(a_job_body(phase="Running", instance="i1"))
    assert sent == []


def test_a_trace_that_cannot_be_made_harms_nothing(caplog: pytest.LogCaptureFixture) -> None:
    RunTraces(lambda _: None).ended({})
    assert [each.levelno for each in caplog.records] == [logging.ERROR]
