"""Build Events (events.k8s.io/v1) about the product's objects. Pure; the controller and daemons write them."""

import socket
from dataclasses import dataclass
from hashlib import sha256

from provisioner_operator.api.v1alpha1.names import API_VERSION
from provisioner_operator.core.model.json_value import JsonObject

_NOTE_LIMIT = 1024
"""Characters of a note that the API server accepts."""


@dataclass(frozen=True, slots=True)
class Notice:
    """An Event to be written about one object."""

    kind: str
    namespace: str
    name: str
    uid: str
    reason: str
    note: str
    action: str
    warning: bool = True
    api_version: str = API_VERSION

    @property
    def display_name(self) -> str:
        """The Event as logs name it."""
        return f"{self.reason} of {self.namespace}/{self.name}"


def event_name(notice: Notice) -> str:
    """Derive the Event's name: the same for every repetition."""
    digest = sha256(f"{notice.uid} {notice.reason}".encode()).hexdigest()[:16]
    return f"{notice.name}.{digest}"


def event_body(notice: Notice, controller: str, time: str) -> JsonObject:
    """Return the Event that reports the notice, in the name of the controller, as of this time (RFC 3339)."""
    note = notice.note if len(notice.note) <= _NOTE_LIMIT else notice.note[: _NOTE_LIMIT - 1] + "…"
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"namespace": notice.namespace, "name": event_name(notice)},
        "eventTime": time,
        "reportingController": controller,
        "reportingInstance": socket.gethostname()[:128],
        "action": notice.action,
        "reason": notice.reason,
        "type": "Warning" if notice.warning else "Normal",
        "note": note or notice.reason,
        "regarding": {
            "apiVersion": notice.api_version,
            "kind": notice.kind,
            "namespace": notice.namespace,
            "name": notice.name,
            "uid": notice.uid,
        },
    }
