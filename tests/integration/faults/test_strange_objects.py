"""Unusual objects, written by hand: the controller continues with all others."""

import json
import urllib.request

from support.manifests import Manifest
from support.test_namespace import ProductNamespace

_FAR_PAST, _FAR_FUTURE = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"
_NOWHERE = {"daemon": "nowhere", "daemonUID": "no-such-uid", "id": "made-up", "time": "2026-01-01T00:00:00Z"}


def _condition(kind: str, time: str) -> Manifest:
    return {"type": kind, "status": "Unknown", "reason": "Strange", "message": "", "lastTransitionTime": time}


STRANGE: dict[str, Manifest] = {
    "a message as long as may be": {"message": "x" * 32_768, "reason": "R" * 64},
    "control characters": {"message": "\u0000\u0007\ud7ff\u202e\uffff"},
    "conditions of the far past": {"conditions": [_condition("Ready", _FAR_PAST), _condition("Assigned", _FAR_PAST)]},
    "conditions of the far future": {"conditions": [_condition("Ready", _FAR_FUTURE)]},
    "a leap second": {"conditions": [_condition("Ready", "2016-12-31T23:59:60Z")]},
    "suspended for ages": {"suspendedSeconds": 2**63 - 1},
    "suspended in the future": {"suspendedAt": _FAR_FUTURE},
    "started before it was assigned": {"startedAt": _FAR_PAST},
    "an assignment to nobody": {"assignment": _NOWHERE},
    "an assignment of the far future": {"assignment": _NOWHERE | {"time": _FAR_FUTURE}},
    "a phase of its own making": {"assignment": _NOWHERE, "phase": "Running", "startedAt": "2026-01-01T00:00:00Z"},
}


RUNS_FOR_NOBODY = "a phase of its own making"
"""It counts as running since its invented start, and its deadline ends it."""


def test_no_status_written_by_hand_stops_the_controller_or_the_job(product: ProductNamespace) -> None:
    jobs = {what: f"strange-{number}" for number, what in enumerate(STRANGE)}
    product.submit_all(list(jobs.values()))
    refused = {what for what, name in jobs.items() if not _write_by_hand(product, name, STRANGE[what])}
    with product.operator() as operator, product.daemon("daemon", capacity=4):
        product.submit("ordinary")
        product.jobs.until_all(["ordinary", *jobs.values()])
        assert _health(operator.endpoint) == 200
        assert operator.runs
        complaints = [line for line in operator.lines if '"ERROR"' in line]
    ended = {what: product.jobs.phases(name)[-1] for what, name in jobs.items()}
    assert ended == dict.fromkeys(STRANGE, "Completed") | {RUNS_FOR_NOBODY: "Failed"}
    outside_the_pattern = {"conditions of the far past", "conditions of the far future"}
    assert refused == {*outside_the_pattern, "a leap second", "suspended for ages"}
    assert complaints == []


def _write_by_hand(product: ProductNamespace, name: str, status: Manifest) -> bool:
    """Write the status as an administrator could; return False if the API server rejects it. A run needs an assignment first."""
    first = [{"assignment": status["assignment"]}] if "phase" in status else []
    changes = [json.dumps({"status": step}) for step in (*first, status)]
    return all(
        product.admin.attempt("patch", "pj", name, "--type=merge", "--subresource=status", f"--patch={change}").ok
        for change in changes
    )


def test_a_million_characters_are_refused_by_the_api_server(product: ProductNamespace) -> None:
    product.submit("job")
    refusal = product.admin.refusal(
        *("patch", "pj", "job", "--type=merge", "--subresource=status", "--patch-file=/dev/stdin"),
        given={"status": {"message": "x" * 1_000_000}},
    )
    assert "status.message" in refusal


def test_recurring_events_become_a_series(product: ProductNamespace) -> None:
    with product.operator():
        product.submit("job", tags={"region": "us"})
        (first,) = product.await_events("job", "NoMatchingDaemon")
        assert first["regarding"]["kind"] == "ProvisionerJob"
        # The daemon reports before its tags match, because a matching daemon without a heartbeat would cause an Event too.
        product.a_daemon_without_process("daemon", tags={"region": "eu"}, cordoned=True)
        product.admin.patch("pd", "daemon", {"spec": {"tags": {"region": "us"}}})
        product.jobs.until("job", lambda body: body["status"].get("reason") == "DaemonsCordoned")
        product.admin.run("delete", "pd", "daemon")
        product.notices.until_any(lambda event: event.get("series", {}).get("count") == 2)
    assert sorted(event["reason"] for event in product.events("job")) == ["DaemonsCordoned", "NoMatchingDaemon"]


def _health(endpoint: str) -> int:
    with urllib.request.urlopen(f"{endpoint}/healthz", timeout=60) as response:
        status: int = response.status
        return status
