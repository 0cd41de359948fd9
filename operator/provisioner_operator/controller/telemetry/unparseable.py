"""Reports of objects that fit no model: a log line, an Event and a count, once per version of each object.

Called by the controller's observer. The object may be observed many times (lists, resyncs, answers to writes); an admin
needs one report, and another only when the object was changed and still does not fit.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from provisioner_operator.controller.telemetry import events
from provisioner_operator.controller.telemetry.events import EventRecorder
from provisioner_operator.controller.telemetry.metrics import Metrics
from provisioner_operator.kube.object_meta import object_meta
from provisioner_operator.kube.parsing import UnparseableObjectError

_logger = logging.getLogger(__name__)


class UnparseableReports:
    """Reports each version of an object at most once, and only while this process leads."""

    def __init__(self, metrics: Metrics, recorder: EventRecorder, leads: Callable[[], bool]) -> None:
        self._metrics = metrics
        self._recorder = recorder
        self._leads = leads
        self._reported: dict[str, str] = {}
        """Reported version by uid."""

    def report(self, kind: str, body: Mapping[str, Any], error: UnparseableObjectError) -> None:
        """Report an object of the kind, unless this version of it was reported."""
        meta = object_meta(body)
        if self._reported.get(meta.uid) == meta.resource_version or not self._leads():
            return
        self._reported[meta.uid] = meta.resource_version
        self._metrics.unparseable.labels(kind).inc()
        notice = events.unparseable(kind, meta, error)
        _logger.error("%s %s: %s", kind, meta.display_name, notice.note, extra={"object": meta.display_name})
        self._recorder.record(notice)

    def forget(self, uid: str) -> None:
        """Forget an object that was deleted."""
        self._reported.pop(uid, None)
