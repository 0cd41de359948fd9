"""Tests with a control plane of their own, which kill its API server, count its requests or change its schema."""

import copy
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing

import httpx
import pytest
import yaml

from provisioner_devcluster import ControlPlane
from support.builders.manifests import a_template_manifest, a_workspace_manifest
from support.cluster.api_metrics import Request, between, requests, writes
from support.cluster.installation import an_installed_control_plane
from support.cluster.kubectl import Kubectl
from support.cluster.watching import watching
from support.manifests import CRDS
from support.programs.web_server import WebUsers, a_web_server
from support.test_namespace import ProductNamespace, a_job, a_product_namespace, condition, names

UNDER_LOAD = 120
COUNTED = 30
WRITES_PER_JOB = 4
WRITES_PER_CANCEL = 2
"""The user's own, and the end."""
_EVENT_COUNTED = 'provisioner_api_writes_total{kind="event",result="ok"}'
IDLE_SECONDS = 15.0
"""Seconds of an idle measurement, many times the period of any poll."""
QUIET_WITHIN = 120.0
_AWAY = "The API server cannot be reached"


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """A control plane that no other test uses."""
    with an_installed_control_plane() as plane:
        yield plane


@pytest.fixture
def own(plane: ControlPlane, request: pytest.FixtureRequest) -> Iterator[ProductNamespace]:
    """A namespace in that control plane."""
    namespace = f"test-{abs(hash(request.node.name)) % 10**9}"
    Kubectl(plane.kubeconfig).run("create", "namespace", namespace)
    with a_product_namespace(plane, namespace) as product:
        yield product


def test_an_api_server_killed_under_load_loses_and_repeats_nothing(plane: ControlPlane, own: ProductNamespace) -> None:
    jobs = names("job", UNDER_LOAD)
    secret = {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "cloud"}, "stringData": {"seconds": "0.1"}}
    own.admin.create(secret)
    with own.operator() as operator, own.daemon("one", capacity=6), own.daemon("two", capacity=6):
        own.submit_all(jobs, variablesFrom=[{"secretRef": {"name": "cloud"}}])
        for share in (0.2, 0.6):
            own.jobs.until_count(int(share * UNDER_LOAD), "Completed")
            plane.restart_api_server(kill=True)
        own.jobs.until_all(jobs, seconds=150)
        assert operator.runs
    ended = [own.jobs.latest()[name]["status"] for name in jobs]
    assert [(each["phase"], each["reason"], each["message"]) for each in ended if each["phase"] != "Completed"] == []
    assert [each for each in ended if "log" not in each] == []
    assert [run.code for run in own.ledger.runs()] == [0] * UNDER_LOAD
    own.ledger.assert_nothing_twice()


def test_the_web_server_shows_its_last_data_while_the_api_server_is_away(
    plane: ControlPlane, own: ProductNamespace
) -> None:
    roles = {"viewer": "provisioner-viewer"}
    with a_web_server(plane.kubeconfig) as server, closing(WebUsers(own.admin, server.url, roles)) as users:
        viewer, page = users.client("viewer"), f"/organizations/{own.namespace}/provisioner-jobs"
        own.submit("before", suspend=True)
        _await_page(viewer, page, lambda text: "before" in text)
        plane.stop_api_server(kill=True)
        try:
            # The user's rights were reviewed before, and nothing newer is shown.
            _await_page(viewer, page, lambda text: "before" in text and _AWAY in text)
            assert viewer.get("/readyz").status_code == 200
        finally:
            plane.start_api_server()
        _create_once_allowed(own, a_job("after", suspend=True))
        _await_page(viewer, page, lambda text: "after" in text and _AWAY not in text)
        assert server.runs


def _await_page(client: httpx.Client, path: str, holds: Callable[[str], bool]) -> None:
    deadline = time.monotonic() + QUIET_WITHIN
    while not ((answer := client.get(path)).is_success and holds(answer.text)):
        assert time.monotonic() < deadline, f"{path}: {answer.status_code} {answer.text[:2000]}"
        threading.Event().wait(0.5)


def test_an_outage_without_any_work_is_survived(plane: ControlPlane, own: ProductNamespace) -> None:
    with own.operator() as operator, own.daemon("daemon"):
        own.submit("before")
        own.jobs.until("before", "Completed")
        plane.restart_api_server(kill=True)
        _await_status(f"{operator.endpoint}/readyz", 200)
        _create_once_allowed(own, a_job("after"))
        own.jobs.until("after", "Completed", seconds=150)


def test_in_an_outage_a_leader_steps_down_is_not_ready_and_recovers(plane: ControlPlane, own: ProductNamespace) -> None:
    own.allow_election()
    with own.candidate() as leader, own.candidate() as standby, own.daemon("daemon"):
        leader.await_that(lambda: leader.leads or standby.leads, "or the other leads")
        own.submit("before")
        own.jobs.until("before", "Completed")
        plane.stop_api_server(kill=True)
        for program in (leader, standby):
            # Nothing is written and nothing is due, so only the election detects the outage.
            program.await_leads(leads=False)
            program.await_status("/readyz", 503)
            assert "the API server does not answer" in program.fetch("/readyz")[1]
            assert program.fetch("/healthz") == (200, "ok\n")
            assert program.fetch("/startupz") == (200, "ok\n")
        plane.start_api_server()
        for program in (leader, standby):
            program.await_status("/readyz", 200)
        leader.await_that(lambda: leader.leads or standby.leads, "or the other leads again")
        _create_once_allowed(own, a_job("after"))
        own.jobs.until("after", "Completed", seconds=150)
    own.ledger.assert_nothing_twice()


def test_ends_and_deletions_missed_by_the_watch_are_swept(plane: ControlPlane, own: ProductNamespace) -> None:
    waiting = 'provisioner_jobs{phase="Pending"}'
    own.a_daemon_without_process("forgotten")
    for name in ("deleted", "canceled", "stays"):
        own.submit(name, tags={"nobody": "has-it"})
    with own.operator() as operator:
        operator.await_that(lambda: operator.metrics(waiting) == {waiting: 3.0}, "knows the jobs")
        operator.await_that(lambda: sum(operator.metrics("provisioner_daemons{").values()) == 1.0, "knows the daemon")
        operator.freeze()
        own.admin.run("delete", "pj", "deleted")
        own.admin.patch("pd", "forgotten", {"metadata": {"finalizers": []}})
        own.admin.run("delete", "pd", "forgotten")
        _cancel_in_place_of_the_controller(own, "canceled")
        # The watch cache of an API server begins with its start, so the watch has to restart from a list.
        plane.restart_api_server(kill=True)
        operator.thaw()
        operator.await_that(lambda: operator.metrics(waiting) == {waiting: 1.0}, "sees who is gone")
        operator.await_that(lambda: sum(operator.metrics("provisioner_daemons{").values()) == 0.0, "sees none")
        with own.daemon("later", tags={"nobody": "has-it"}):
            own.jobs.until("stays", "Completed")
        assert any("has to be listed again" in str(record["message"]) for record in operator.records())
    assert own.ledger.runs_of("canceled") == []


def _cancel_in_place_of_the_controller(product: ProductNamespace, name: str) -> None:
    product.cancel(name)
    patch = {"status": {"phase": "Canceled", "reason": "Canceled", "finishedAt": "2026-01-01T00:00:00Z"}}
    product.admin.patch("pj", name, patch, subresource="status")


def test_a_job_costs_at_most_four_writes_after_its_creation(own: ProductNamespace) -> None:
    jobs = names("job", COUNTED)
    with own.operator() as operator, own.daemon("one", capacity=3), own.daemon("two", capacity=3):
        before = requests(own.admin)
        own.submit_all(jobs, seconds=0.3, lines=2)
        own.jobs.until_all(jobs, phases=["Completed"])
        counted = between(before, requests(own.admin), "provisionerjobs", "provisionerdaemons", "configmaps", "events")
        # On a slow machine some jobs wait so long that their status gets an explanation.
        explanations = sum(operator.metrics('provisioner_api_writes_total{kind="Explain"').values())
    written = writes(counted)
    for request, count in counted.items():
        print(f"{request.verb:6} {request.resource:28} {count:5}  {count / COUNTED:.2f} a job")  # noqa: T201 - a measurement, shown with -rP
    assert written.pop(Request("POST", "provisionerjobs")) == COUNTED
    # The API server counts all ConfigMaps, including the one that the controller-manager creates in each namespace.
    archives = own.admin.run("get", "configmap", "--output=name").stdout.count("-log\n")
    assert archives == COUNTED <= written.pop(Request("POST", "configmaps"))
    heartbeats = written.pop(Request("PATCH", "provisionerdaemons/status"), 0)
    cost = archives + sum(written.values())
    print(f"{cost / COUNTED:.2f} writes a job after its creation, and {heartbeats} heartbeats")  # noqa: T201 - a measurement, shown with -rP
    assert cost <= WRITES_PER_JOB * COUNTED + explanations
    assert not [request for request in written if request.resource == "events"]


def test_a_canceled_run_costs_two_writes_unless_it_takes_its_time_to_stop(own: ProductNamespace) -> None:
    jobs = names("job", 6)
    with own.operator(), own.daemon("one", capacity=3), own.daemon("two", capacity=3):
        own.submit_all(jobs, seconds=300)
        for name in jobs:
            own.ledger.await_run(name)
        own.jobs.until_all(jobs, phases=["Running"])
        before = requests(own.admin)
        for name in jobs:
            own.cancel(name)
        own.jobs.until_all(jobs, phases=["Canceled"])
        written = writes(between(before, requests(own.admin), "provisionerjobs"))
    slow = [name for name in jobs if "Canceling" in own.jobs.phases(name)]
    assert sum(written.values()) <= WRITES_PER_CANCEL * len(jobs) + len(slow)


def test_an_idle_controller_sends_no_requests(own: ProductNamespace) -> None:
    own.a_daemon_without_process("silent")
    own.submit("held", suspend=True)
    own.submit("unmatched", tags={"nobody": "has-it"})
    with own.operator() as operator:
        own.jobs.until("held", lambda body: body["status"].get("reason") == "Suspended")
        own.jobs.until("unmatched", lambda body: body["status"].get("reason") == "NoMatchingDaemon")
        own.await_events("unmatched")
        # An Event is visible before the controller has the answer to its request, and counts it.
        operator.await_that(lambda: _EVENT_COUNTED in operator.writes, "counts the event that it wrote")
        own_writes = operator.writes
        await_nothing_asked(own)
        assert operator.writes == own_writes


def test_a_job_of_somebody_else_under_a_builds_name_costs_one_creation_and_one_read(own: ProductNamespace) -> None:
    own.submit("blk-1", suspend=True)
    own.admin.create(a_template_manifest())
    with watching(own.admin, "wst") as templates, watching(own.admin, "ws") as workspaces, own.operator():
        with own.daemon("daemon"):
            templates.until("template", lambda body: condition(body, "Ready").get("status") == "True")
            before = requests(own.admin)
            own.admin.create(a_workspace_manifest("blk"))
            body = workspaces.until_latest("blk", lambda body: condition(body, "Ready").get("status") == "True")
            counted = between(before, requests(own.admin), "provisionerjobs")
        assert body["status"]["latestBuild"]["job"] == "blk-2"
        # One creation in vain, one that succeeds; one look at whose job it is, and none through all jobs.
        assert counted[Request("POST", "provisionerjobs")] == 2
        assert counted.get(Request("GET", "provisionerjobs"), 0) <= 1
        assert Request("LIST", "provisionerjobs") not in counted
        await_nothing_asked(own)
    assert own.admin.get("pj", "blk-1")["status"]["phase"] == "Pending"


def await_nothing_asked(product: ProductNamespace) -> None:
    """Wait until there are no requests for the product's objects for a while; a polling controller fails the wait.

    Others may ask at first: of what earlier tests left, the garbage collector looks up each owner, in bursts.
    """
    deadline = time.monotonic() + QUIET_WITHIN
    while asked := _asked_within(product, IDLE_SECONDS):
        assert time.monotonic() < deadline, f"it does not become quiet: {asked}"


def _asked_within(product: ProductNamespace, seconds: float) -> dict[Request, int]:
    before = requests(product.admin)
    time.sleep(seconds)
    return between(before, requests(product.admin), "provisionerjobs", "provisionerdaemons", "events")


def test_an_invalid_object_of_an_older_schema_is_reported_and_skipped(own: ProductNamespace) -> None:
    strict = yaml.safe_load((CRDS / "provisioner.dev_provisionerjobs.yaml").read_text(encoding="utf-8"))
    loose = copy.deepcopy(strict)
    spec = loose["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    del spec["properties"]["cancelMode"]["enum"]
    try:
        own.admin.run("replace", "-f", "-", given=json.dumps(_as_stored(own, loose)))
        _create_once_allowed(own, a_job("older", cancelMode="Gently"))
    finally:
        own.admin.run("replace", "-f", "-", given=json.dumps(_as_stored(own, strict)))
    with own.operator() as operator, own.daemon("daemon"):
        (event,) = own.await_events("older")
        own.submit("newer")
        own.jobs.until("newer", "Completed")
        assert operator.metrics('provisioner_unparseable_objects_total{kind="ProvisionerJob"}')
    assert event["reason"] == "Unparseable"
    assert "cancelMode" in event["note"]
    assert own.ledger.runs_of("older") == []


def _as_stored(product: ProductNamespace, definition: dict[str, object]) -> dict[str, object]:
    stored = product.admin.get("crd", "provisionerjobs.provisioner.dev")
    return stored | {"spec": definition["spec"]}


def _create_once_allowed(product: ProductNamespace, manifest: dict[str, object]) -> None:
    """Create the object once the API server accepts it, a moment after a changed definition or its start."""
    deadline = time.monotonic() + 60
    while not (answer := product.admin.api.create(manifest)).ok:
        assert time.monotonic() < deadline, str(answer)
        threading.Event().wait(0.2)


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=60) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def _await_status(url: str, wanted: int) -> None:
    deadline = time.monotonic() + 60
    while _status(url) != wanted:
        assert time.monotonic() < deadline, f"{url} never answered {wanted}"
        threading.Event().wait(0.2)


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as response:
        text: str = response.read().decode()
        return text
