"""The sender of spans, with a real receiver, one that never answers, and none."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from provisioner_operator.core.jobs.ended_run import EndedRun
from provisioner_operator.core.tracing.job_spans import Span, job_spans
from provisioner_operator.tracing.exporter import MOST_WAITING, Exporter, is_on, start_exporter
from support.builders.core import an_ended_job
from support.programs.trace_receiver import TraceReceiver, a_trace_receiver

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
SPAN_KIND_SERVER = 2


@pytest.fixture
def receiver() -> Iterator[TraceReceiver]:
    with a_trace_receiver() as receiver:
        yield receiver


def spans(name: str = "job") -> tuple[Span, ...]:
    return job_spans(an_ended_job(name, reason="Completed", finished=1), EndedRun("docker"))


def started(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Exporter:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    exporter = start_exporter("provisioner-daemon", environment)
    assert exporter is not None
    return exporter


def test_what_is_sent_is_received(monkeypatch: pytest.MonkeyPatch, receiver: TraceReceiver) -> None:
    exporter = started(monkeypatch, **receiver.environment)
    exporter.send(spans())
    exporter.close()
    *children, root = spans()
    received = receiver.tree("uid-of-job")
    assert [each.name for each in receiver.spans] == [*(each.name for each in children), root.name]
    top = received[root.name]
    assert (top.service, top.parent, top.kind, top.failed) == ("provisioner-daemon", "", SPAN_KIND_SERVER, False)
    assert (top.started, top.finished) == (root.started * 1e9, root.finished * 1e9)
    assert top.attributes == root.attributes
    assert {received[each.name].parent for each in children} == {top.id}
    assert {each.trace for each in received.values()} == {f"{root.context.trace_id:032x}"}


def test_the_environment_names_the_service(monkeypatch: pytest.MonkeyPatch, receiver: TraceReceiver) -> None:
    exporter = started(monkeypatch, OTEL_SERVICE_NAME="ours", **receiver.environment)
    exporter.send(spans())
    exporter.close()
    assert {each.service for each in receiver.tree("uid-of-job").values()} == {"ours"}


def test_a_collector_that_never_answers_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch, receiver: TraceReceiver
) -> None:
    # Longer than a test may take: if anything waited for the answer, this one would not end.
    exporter = started(monkeypatch, OTEL_EXPORTER_OTLP_TIMEOUT="3600", **receiver.environment)
    with receiver.held():
        exporter.send(spans("first"))
        receiver.await_that(lambda: bool(receiver.bodies))
        for number in range(2 * MOST_WAITING // len(spans())):
            exporter.send(spans(f"job-{number}"))
        exporter.close()
        assert receiver.spans == []
    receiver.await_that(lambda: bool(receiver.of("uid-of-first")))
    assert len(receiver.spans) <= MOST_WAITING + len(spans())


@pytest.mark.parametrize(
    ("environment", "on"),
    [
        ({}, False),
        ({ENDPOINT: ""}, False),
        ({ENDPOINT: "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({ENDPOINT: "http://collector:4318", "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_traces_are_on_where_an_endpoint_is_named(environment: dict[str, str], *, on: bool) -> None:
    assert is_on(environment) is on
    if not on:
        assert start_exporter("provisioner-operator", environment) is None


def test_wrong_settings_keep_nobody_from_working(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_PYTHON_EXPORTER_OTLP_HTTP_TRACES_CREDENTIAL_PROVIDER", "nobody")
    assert start_exporter("provisioner-operator", {ENDPOINT: "http://127.0.0.1:9"}) is None
    assert "settings of OpenTelemetry" in caplog.text


def test_without_the_packages_the_log_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace.export", None)
    assert start_exporter("provisioner-operator", {ENDPOINT: "http://127.0.0.1:9"}) is None
    assert "provisioner-operator[otel]" in caplog.text


@pytest.mark.parametrize("program", ["controller", "daemon"])
def test_off_no_program_imports_opentelemetry(program: str) -> None:
    script = (
        f"import sys, provisioner_operator.{program}.__main__\n"
        "from provisioner_operator.tracing.exporter import start_exporter\n"
        "assert start_exporter('service', {}) is None\n"
        "sys.exit(' '.join(sorted(each for each in sys.modules if each.startswith('opentelemetry'))))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("\n", 1) or done.returncode == 0, done.stderr
