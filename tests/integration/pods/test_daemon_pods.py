"""Pods with the daemon label: registered with the settings of their annotations, and lost at once only if they surely ended."""

from support.cluster.pods import a_daemon_pod, ended, runs
from support.manifests import Manifest
from support.programs.ledger import is_alive
from support.test_namespace import ProductNamespace

FOREVER = 3600
"""Value of `lostAfterSeconds` that no test reaches."""


def _pod_uid(body: Manifest) -> str | None:
    owners = body["metadata"].get("ownerReferences", [])
    return next((str(owner["uid"]) for owner in owners if owner["kind"] == "Pod"), None)


def _await_daemon_of(product: ProductNamespace, pod: Manifest) -> Manifest:
    return product.daemons.until(pod["metadata"]["name"], lambda body: _pod_uid(body) == pod["metadata"]["uid"])


def _await_event(product: ProductNamespace, pod: str, reason: str) -> Manifest:
    return next(event for event in product.await_events(pod, reason) if event["reason"] == reason)


def test_a_labeled_pod_becomes_a_daemon_with_the_settings_of_its_annotations(product: ProductNamespace) -> None:
    tags = {"environment": "on-prem", "datacenter": "chicago"}
    pod = product.admin.create(a_daemon_pod("d1", tags=tags, capacity=3, lost_after_seconds=60))
    daemon = _await_daemon_of(product, pod)
    assert daemon["spec"]["tags"] == tags
    assert (daemon["spec"]["capacity"], daemon["spec"]["lostAfterSeconds"]) == (3, 60)
    assert daemon["spec"]["provisioners"] == ["echo"]
    product.admin.run("delete", "pod", "d1")
    product.daemons.until_gone("d1")


def test_an_unlabeled_pod_is_not_a_daemon(product: ProductNamespace) -> None:
    plain = a_daemon_pod("plain")
    del plain["metadata"]["labels"]
    product.admin.create(plain)
    _await_daemon_of(product, product.admin.create(a_daemon_pod("labeled")))
    assert not product.admin.attempt("get", "pd", "plain").ok


def test_changed_annotations_change_the_daemon_and_leave_its_cordon(product: ProductNamespace) -> None:
    pod = product.admin.create(a_daemon_pod("d1", tags={"region": "eu"}))
    _await_daemon_of(product, pod)
    product.admin.patch("pd", "d1", {"spec": {"cordoned": True}})
    product.admin.run(
        "annotate", "pod", "d1", "--overwrite", "tags.provisioner.dev/region=us", "provisioner.dev/capacity=2"
    )
    daemon = product.daemons.until("d1", lambda body: body["spec"].get("tags") == {"region": "us"})
    assert (daemon["spec"]["cordoned"], daemon["spec"]["capacity"]) == (True, 2)


def test_a_pods_daemon_gets_jobs_while_the_pod_is_ready(product: ProductNamespace) -> None:
    pod = product.admin.create(a_daemon_pod("d1", capacity=1))
    with product.daemon_in(pod):
        product.daemons.until("d1", lambda body: body.get("status", {}).get("state") == "Idle")
        product.submit("job")
        waiting = product.jobs.until("job", lambda body: body["status"].get("reason") == "DaemonsOffline")
        assert "d1" in waiting["status"]["message"]
        runs(product.admin, "d1")
        product.jobs.until("job", "Completed")
        product.submit_held("busy")  # otherwise the next job's event might precede the Pod's
        runs(product.admin, "d1", ready=False)
        product.submit("later")
        product.jobs.until("later", lambda body: body["status"].get("reason") == "DaemonsOffline")
        product.ledger.release("busy")
        product.jobs.until("busy", "Completed")
        assert product.ledger.runs_of("later") == []
        runs(product.admin, "d1")
        product.jobs.until("later", "Completed")


def test_a_pod_that_ended_loses_its_job_at_once(product: ProductNamespace) -> None:
    pod = product.admin.create(a_daemon_pod("d1", lost_after_seconds=FOREVER))
    runs(product.admin, "d1")
    with product.daemon_in(pod) as process:
        run = product.submit_held("job")
        process.kill()
        ended(product.admin, "d1")
        job = product.jobs.until("job", "Failed")
        assert job["status"]["reason"] == "DaemonLost"
        assert "its Pod ended: OOMKilled, exit code 137" in job["status"]["message"]
        product.daemons.until("d1", lambda body: "OOMKilled" in str(body["status"].get("conditions")))
        assert product.admin.get("pd", "d1")["status"]["state"] == "Offline"
    assert product.ledger.runs_of("job")[0].pid == run.pid


def test_the_pod_of_a_canceled_job_ends_and_the_cancel_is_finished(product: ProductNamespace) -> None:
    pod = product.admin.create(a_daemon_pod("d1", lost_after_seconds=FOREVER))
    runs(product.admin, "d1")
    with product.daemon_in(pod) as process:
        product.submit_held("job", ignore_interrupt="true")
        product.jobs.until("job", "Running")
        process.kill()
        product.cancel("job")
        ended(product.admin, "d1", reason="Error")
        product.jobs.until("job", "Canceled")


def test_a_pod_that_was_deleted_after_its_container_ended_loses_its_job_at_once(product: ProductNamespace) -> None:
    pod = product.admin.create(a_daemon_pod("d1", lost_after_seconds=FOREVER))
    runs(product.admin, "d1")
    with product.daemon_in(pod) as process:
        product.submit_held("job")
        process.kill()
        # Like kubelet: the container ends first, then the object is deleted.
        ended(product.admin, "d1", reason="Error")
        product.admin.run("delete", "pod", "d1", "--grace-period=0", "--force")
        product.jobs.until("job", "Failed")


def test_a_pod_that_vanished_with_its_node_keeps_its_job_until_its_daemon_has_fenced_itself(
    product: ProductNamespace,
) -> None:
    pod = product.admin.create(a_daemon_pod("d1", lost_after_seconds=20))
    runs(product.admin, "d1")
    with product.daemon_in(pod):
        run = product.submit_held("job", ignore_interrupt="true")
        # Nothing has reported the container's end: its process still runs, though its token is invalid.
        product.admin.run("delete", "pod", "d1", "--grace-period=0", "--force")
        job = product.jobs.until("job", "Failed")
        assert not is_alive(run.pid)
    assert job["status"]["reason"] == "DaemonLost"


def test_a_new_pod_of_the_same_name_is_another_daemon(product: ProductNamespace) -> None:
    first = product.admin.create(a_daemon_pod("d1", tags={"generation": "one"}))
    _await_daemon_of(product, first)
    product.admin.run("delete", "pod", "d1", "--grace-period=0", "--force")
    second = product.admin.create(a_daemon_pod("d1", tags={"generation": "two"}))
    runs(product.admin, "d1")
    with product.daemon_in(second):
        daemon = _await_daemon_of(product, second)
        assert daemon["spec"]["tags"] == {"generation": "two"}
        product.submit("job", tags={"generation": "two"})
        product.jobs.until("job", "Completed")


def test_an_admins_own_daemon_is_not_taken_over_by_a_pod_of_its_name(product: ProductNamespace) -> None:
    product.a_daemon_without_process("d1", tags={"mine": "yes"})
    product.admin.create(a_daemon_pod("d1", tags={"mine": "no"}))
    _await_daemon_of(product, product.admin.create(a_daemon_pod("d2")))
    assert product.admin.get("pd", "d1")["spec"]["tags"] == {"mine": "yes"}


def test_invalid_annotations_are_reported_on_the_pod(product: ProductNamespace) -> None:
    product.admin.create(a_daemon_pod("bad-number", capacity="many"))
    event = _await_event(product, "bad-number", "Unparseable")
    assert "capacity" in event["note"]
    product.admin.create(a_daemon_pod("bad-tag", tags={"scope": "universe"}))
    event = _await_event(product, "bad-tag", "DaemonRefused")
    assert "the tag 'scope' is reserved" in event["note"]
    assert event["regarding"]["kind"] == "Pod"
    product.admin.run("annotate", "pod", "bad-number", "--overwrite", "provisioner.dev/capacity=1")
    product.daemons.until("bad-number", lambda body: body["spec"]["capacity"] == 1)
