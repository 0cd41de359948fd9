"""Events are built as the API server accepts them."""

import socket
from dataclasses import replace

import pytest

from provisioner_operator.kube.event_objects import Notice, event_body, event_name

NOTICE = Notice("ProvisionerJob", "acme", "job", "uid-of-job", "RunFailed", "It failed.", "End")
NOON = "2027-01-15T12:00:00.000000Z"


def test_an_event_regards_its_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "h" * 200)
    assert event_body(NOTICE, "provisioner.dev/controller", NOON) == {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"namespace": "acme", "name": event_name(NOTICE)},
        "eventTime": NOON,
        "reportingController": "provisioner.dev/controller",
        "reportingInstance": "h" * 128,
        "action": "End",
        "reason": "RunFailed",
        "type": "Warning",
        "note": "It failed.",
        "regarding": {
            "apiVersion": "provisioner.dev/v1alpha1",
            "kind": "ProvisionerJob",
            "namespace": "acme",
            "name": "job",
            "uid": "uid-of-job",
        },
    }
    assert event_body(replace(NOTICE, warning=False), "c", NOON)["type"] == "Normal"
    assert NOTICE.display_name == "RunFailed of acme/job"


@pytest.mark.parametrize(
    ("note", "written"),
    [
        ("", "RunFailed"),
        ("x" * 1024, "x" * 1024),
        ("x" * 1025, "x" * 1023 + "…"),
    ],
)
def test_a_note_has_the_length_that_the_api_server_accepts(note: str, written: str) -> None:
    assert event_body(replace(NOTICE, note=note), "c", NOON)["note"] == written


def test_only_repetitions_have_the_same_name() -> None:
    name = event_name(NOTICE)
    assert name.startswith("job.")
    assert len(name) == len("job.") + 16
    assert event_name(replace(NOTICE, note="Again.")) == name
    assert len({name, event_name(replace(NOTICE, uid="another")), event_name(replace(NOTICE, reason="Other"))}) == 3
