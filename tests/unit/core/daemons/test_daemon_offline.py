"""The write that marks a daemon as offline, applied to a real object."""

import pytest

from provisioner_operator.api.v1alpha1.enums import ConditionStatus, DaemonState
from provisioner_operator.core.daemons.decisions import daemon_offline
from provisioner_operator.core.model.json_patch import JsonPatch, timestamp
from provisioner_operator.core.model.records import Daemon
from provisioner_operator.kube.parsing import parse_daemon
from support.builders.core import NOON
from support.builders.written_jobs import DAEMON, Body, RefusedError, a_body, apply


def a_daemon_body(heartbeat: str | None) -> Body:
    metadata = a_body()["metadata"] | {"name": "pool-a", "uid": DAEMON.uid}
    status: Body = {"state": "Idle"} | ({} if heartbeat is None else {"lastHeartbeatTime": heartbeat})
    return {"metadata": metadata, "spec": {}, "status": status}


def silent(daemon: Daemon) -> JsonPatch:
    return daemon_offline(daemon, "No heartbeat arrives.", NOON)


@pytest.mark.parametrize("heartbeat", [timestamp(NOON), None])
def test_a_daemon_without_process_is_shown_as_offline(heartbeat: str | None) -> None:
    body = a_daemon_body(heartbeat)
    body["status"]["jobs"] = "dev-7"
    offline = apply(body, silent(parse_daemon(body)))
    daemon = parse_daemon(offline)
    assert offline["status"]["jobs"] == ""
    assert daemon.state is DaemonState.OFFLINE
    assert [(each.type, each.status) for each in daemon.conditions] == [("Ready", ConditionStatus.UNKNOWN)]


def test_a_heartbeat_that_came_meanwhile_wins() -> None:
    with pytest.raises(RefusedError):
        apply(a_daemon_body(timestamp(NOON + 1)), silent(parse_daemon(a_daemon_body(timestamp(NOON)))))
