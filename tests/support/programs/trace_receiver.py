"""Receiver of traces: an HTTP server for OTLP as a collector has, which keeps what it gets."""

import gzip
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2
from typing_extensions import override

RECEIVED_WITHIN = 60.0
"""Timeout in seconds for spans that have to come, which takes one on a quiet machine."""
_POLL = 0.02
_OK, _UNAVAILABLE = 200, 503


@dataclass(frozen=True, slots=True)
class ReceivedSpan:
    """A span as it was received; ids in hexadecimal digits, times in nanoseconds since the epoch."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    kind: int
    failed: bool
    started: int
    finished: int
    attributes: Mapping[str, str | int]
    events: Sequence[str]


class TraceReceiver:
    """Everything that was received so far."""

    def __init__(self, endpoint: str) -> None:
        self.environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
        """Variables by which a program sends its traces here."""
        self.accepts = True
        """Whether it takes spans; otherwise it answers that it is unavailable."""
        self._may_answer = threading.Event()
        self._may_answer.set()
        self.bodies: list[bytes] = []
        """All requests, also those that it did not take."""
        self.spans: list[ReceivedSpan] = []
        self.refused: list[ReceivedSpan] = []

    def receive(self, body: bytes) -> int:
        """Keep the spans of a request and return the status of the answer."""
        self.bodies.append(body)
        self._may_answer.wait()
        kept = self.spans if self.accepts else self.refused
        kept.extend(_spans(ExportTraceServiceRequest.FromString(body)))
        return _OK if kept is self.spans else _UNAVAILABLE

    @contextmanager
    def held(self) -> Iterator[None]:
        """Take requests without answering them, until the block ends."""
        self._may_answer.clear()
        try:
            yield
        finally:
            self._may_answer.set()

    def of(self, uid: str) -> list[ReceivedSpan]:
        """Return the spans of the job with this uid."""
        return [each for each in list(self.spans) if each.attributes.get("cicd.pipeline.run.id") == uid]

    def tree(self, uid: str, *, within: float = RECEIVED_WITHIN) -> dict[str, ReceivedSpan]:
        """Wait for the trace of a job, and return its spans by name; equal ones that came twice are one.

        The root is sent last, so the others have come then.
        """
        self.await_that(lambda: any(each.kind == trace_pb2.Span.SPAN_KIND_SERVER for each in self.of(uid)), within)
        by_id: dict[str, ReceivedSpan] = {}
        for span in self.of(uid):
            assert by_id.setdefault(span.id, span).name == span.name
        by_name = {each.name: each for each in by_id.values()}
        assert len(by_name) == len(by_id), "a step has more than one span"
        return by_name

    def await_that(self, true: Callable[[], bool], within: float = RECEIVED_WITHIN) -> None:
        """Wait until a condition holds."""
        deadline = time.monotonic() + within
        while not true():
            assert time.monotonic() < deadline, f"{len(self.bodies)} requests, spans: {self.spans}"
            time.sleep(_POLL)


@contextmanager
def a_trace_receiver() -> Iterator[TraceReceiver]:
    """Serve on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces", self.path
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(receiver.receive(body))
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        @override
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = TraceReceiver(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


def _spans(request: ExportTraceServiceRequest) -> Iterator[ReceivedSpan]:
    for group in request.resource_spans:
        service = str(_attributes(group.resource.attributes)["service.name"])
        for scope in group.scope_spans:
            for span in scope.spans:
                yield ReceivedSpan(
                    service,
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    span.kind,
                    span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    _attributes(span.attributes),
                    [each.name for each in span.events],
                )


def _attributes(pairs: Sequence[KeyValue]) -> dict[str, str | int]:
    return {
        each.key: each.value.int_value if each.value.HasField("int_value") else each.value.string_value
        for each in pairs
    }
