"""Send spans by OTLP over HTTP, from a thread of its own, with the settings of OpenTelemetry's SDK (`OTEL_…`).

Used by the controller and the daemon. Off unless an endpoint is set; then nothing of OpenTelemetry is imported. Giving spans
never waits: they go into a queue of limited length, which drops what it cannot hold while no collector takes them.
"""

import logging
import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from provisioner_operator import __version__
from provisioner_operator.core.tracing.context import TraceContext
from provisioner_operator.core.tracing.job_spans import Span, SpanEvent
from provisioner_operator.core.tracing.results import Result

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
    from opentelemetry.trace import SpanContext

_logger = logging.getLogger(__name__)

ENDPOINT_VARIABLES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
DISABLED_VARIABLE = "OTEL_SDK_DISABLED"
MOST_WAITING = 4096
"""Spans that wait for the collector: those of some five hundred jobs, in a few megabytes."""
_BATCH = 512
_DELAY_MILLISECONDS = 1000.0
"""Longest time that a span waits for others: as much is lost when the process is killed."""
CLOSE_SECONDS = 3.0
"""Time in which the last spans may be sent when the process ends."""
_NANOSECONDS = 1_000_000_000


def is_on(environment: Mapping[str, str]) -> bool:
    """Return whether the environment asks for traces."""
    disabled = environment.get(DISABLED_VARIABLE, "").strip().lower() == "true"
    return not disabled and any(environment.get(name) for name in ENDPOINT_VARIABLES)


def start_exporter(service: str, environment: Mapping[str, str]) -> "Exporter | None":
    """Start the exporter of a service; None, and nothing is imported, if traces are off or cannot be sent."""
    if not is_on(environment):
        return None
    try:
        return Exporter(service)
    except ImportError:
        _logger.error(  # noqa: TRY400 - the message says it all
            "Traces are asked for by %s, but the packages that send them are absent: install provisioner-operator[otel]",
            " or ".join(name for name in ENDPOINT_VARIABLES if environment.get(name)),
        )
    except Exception:
        # A wrong setting must not keep jobs from running.
        _logger.exception("Traces are off: the settings of OpenTelemetry are not valid")
    return None


class Exporter:
    """Sends the spans of one service."""

    def __init__(self, service: str) -> None:
        """Start the thread that sends. Raises ImportError without the extra `otel`, and what the SDK raises for its settings."""
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        self._resource = _resource(service)
        self._processor: SpanProcessor = BatchSpanProcessor(
            OTLPSpanExporter(),
            max_queue_size=MOST_WAITING,
            schedule_delay_millis=_DELAY_MILLISECONDS,
            max_export_batch_size=_BATCH,
        )

    def send(self, spans: Iterable[Span]) -> None:
        """Queue the spans. Never waits, and never raises for what the collector does."""
        for span in spans:
            self._processor.on_end(_readable(span, self._resource))

    def close(self) -> None:
        """Send what is left, for at most `CLOSE_SECONDS`. Blocks."""
        # The SDK's own shutdown waits for a collector that does not answer.
        closing = threading.Thread(target=self._processor.shutdown, name="last spans", daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)


def _resource(service: str) -> "Resource":
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource  # noqa: PLC0415

    # Those of the environment come first, which `create` would replace.
    given = OTELResourceDetector().detect().attributes
    own = {"service.name": service, "service.version": __version__}
    return Resource.create({name: value for name, value in own.items() if name not in given})


def _readable(span: Span, resource: "Resource") -> "ReadableSpan":
    from opentelemetry.sdk.trace import Event, ReadableSpan  # noqa: PLC0415
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope  # noqa: PLC0415
    from opentelemetry.trace import SpanKind, Status, StatusCode  # noqa: PLC0415

    def event(each: SpanEvent) -> Event:
        return Event(each.name, timestamp=_nanoseconds(each.time))

    failed = span.result not in {Result.SUCCESS, Result.CANCELLATION}
    return ReadableSpan(
        name=span.name,
        context=_span_context(span.context, is_remote=False),
        parent=None if span.parent is None else _span_context(span.parent, is_remote=span.is_root),
        resource=resource,
        attributes=span.attributes,
        events=[event(each) for each in span.events],
        kind=SpanKind.SERVER if span.is_root else SpanKind.INTERNAL,
        status=Status(StatusCode.ERROR if failed else StatusCode.UNSET),
        start_time=_nanoseconds(span.started),
        end_time=_nanoseconds(span.finished),
        instrumentation_scope=InstrumentationScope("provisioner-operator", __version__),
    )


def _span_context(context: TraceContext, *, is_remote: bool) -> "SpanContext":
    from opentelemetry.trace import SpanContext, TraceFlags  # noqa: PLC0415

    flags = TraceFlags(TraceFlags.SAMPLED if context.sampled else TraceFlags.DEFAULT)
    return SpanContext(context.trace_id, context.span_id, is_remote=is_remote, trace_flags=flags)


def _nanoseconds(seconds: float) -> int:
    return round(seconds * _NANOSECONDS)
