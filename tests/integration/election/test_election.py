"""Two controllers with leader election: if the leader fails, the other takes over, and nothing is lost or done twice."""

from datetime import datetime
from itertools import pairwise

from provisioner_operator.api.v1alpha1.names import LEASE
from provisioner_operator.core.leadership import LEASE_SECONDS, RENEW_SECONDS
from support.cluster.watching import Watch
from support.manifests import Manifest
from support.programs.programs import OperatorProgram
from support.test_namespace import ProductNamespace, names

UNDER_LOAD = 60
TAKEN_OVER_WITHIN = 90.0
"""Timeout in seconds; a takeover after a leader's death takes fifteen to seventeen on a quiet machine."""


def test_only_the_leader_writes_and_the_standby_is_ready(product: ProductNamespace) -> None:
    jobs = names("job", 8)
    with product.candidate() as leader, product.daemon("daemon", capacity=4):
        leader.await_leads()
        with product.candidate() as standby:
            product.submit_all(jobs, seconds=0.1)
            product.submit("broken", fail="on purpose")
            product.jobs.until_all([*jobs, "broken"])
            product.await_events("broken", "RunFailed")
            leader.await_leads()
            assert standby.metrics("provisioner_leader") == {"provisioner_leader": 0.0}
            assert standby.writes == {}
            assert standby.metrics("provisioner_jobs") == {}
            for probe in ("/startupz", "/readyz", "/healthz"):
                assert standby.fetch(probe) == (200, "ok\n")
            assert any("Stands by" in record["message"] for record in standby.records())
    assert [event["reason"] for event in product.events("broken")] == ["RunFailed"]
    assert "series" not in product.events("broken")[0]
    product.ledger.assert_nothing_twice()


def test_a_leader_killed_under_load_is_replaced_and_nothing_is_lost_or_run_twice(
    product: ProductNamespace, leases: Watch
) -> None:
    jobs = names("job", UNDER_LOAD)
    with product.candidate() as first, product.daemon("one", capacity=4), product.daemon("two", capacity=4):
        first.await_leads()
        with product.candidate() as second:
            product.submit_all(jobs, seconds=0.3)
            product.jobs.until_count(UNDER_LOAD // 3, "Completed")
            former = _holder(product.lease())
            first.kill()
            second.await_leads(within=TAKEN_OVER_WITHIN)
            product.jobs.until_all(jobs)
            assert _holder(product.lease()) != former
    assert {name: product.jobs.phases(name)[-1] for name in jobs} == dict.fromkeys(jobs, "Completed")
    assert [run.code for run in product.ledger.runs()] == [0] * UNDER_LOAD
    product.ledger.assert_nothing_twice()
    last, taken = _change_of_holder(leases, former)
    gap = _seconds(taken["spec"]["acquireTime"]) - _seconds(last["spec"]["renewTime"])
    print(f"taken over {gap:.1f} s after the last renewal")  # noqa: T201 - a measurement, shown with -rP
    assert gap > LEASE_SECONDS - 1


def test_a_leader_frozen_beyond_its_lease_writes_nothing_when_it_resumes(product: ProductNamespace) -> None:
    early, late, last = names("early", 30), names("late", 10), names("last", 10)
    with product.candidate() as frozen, product.daemon("one", capacity=3), product.daemon("two", capacity=3):
        frozen.await_leads()
        with product.candidate() as other:
            product.submit_all(early, seconds=0.3)
            product.jobs.until_count(8, "Completed")
            frozen.freeze()
            other.await_leads(within=TAKEN_OVER_WITHIN)
            product.submit_all(late, seconds=0.1)
            frozen.thaw()
            frozen.await_leads(leads=False)
            settled = frozen.writes
            product.submit_all(last, seconds=0.1)
            jobs = [*early, *late, *last]
            product.jobs.until_all(jobs)
            other.await_leads()
            assert not frozen.leads
            assert _done(frozen.writes) == _done(settled)
            frozen.await_status("/readyz", 200)
    assert {name: product.jobs.phases(name)[-1] for name in jobs} == dict.fromkeys(jobs, "Completed")
    assert [run.code for run in product.ledger.runs()] == [0] * len(jobs)
    product.ledger.assert_nothing_twice()
    product.ledger.assert_no_overlap()


def test_a_leader_that_stops_gracefully_is_replaced_at_once(product: ProductNamespace, leases: Watch) -> None:
    jobs = names("job", 30)
    with product.candidate() as first, product.daemon("daemon", capacity=4):
        first.await_leads()
        former = _holder(product.lease())
        with product.candidate() as second:
            product.submit_all(jobs, seconds=0.2)
            product.jobs.until_count(8, "Completed")
            first.terminate()
            assert first.exit_code() == 0
            second.await_leads()
            product.jobs.until_all(jobs)
    released, taken = _change_of_holder(leases, former)
    pause = _seconds(taken["spec"]["acquireTime"]) - _seconds(released["spec"]["renewTime"])
    print(f"taken over {pause:.2f} s after the release")  # noqa: T201 - a measurement, shown with -rP
    assert "holderIdentity" not in released["spec"]
    assert pause < LEASE_SECONDS - 1
    assert taken["spec"]["leaseTransitions"] == released["spec"].get("leaseTransitions", 0) + 1
    assert [run.code for run in product.ledger.runs()] == [0] * len(jobs)
    product.ledger.assert_nothing_twice()


def test_a_new_leader_writes_the_events_that_the_former_one_did_not(product: ProductNamespace) -> None:
    with product.candidate() as first:
        first.await_leads()
        with product.candidate() as second:
            first.kill()
            product.submit("stuck", tags={"nobody": "has-it"})
            product.submit("overdue", tags={"nobody": "has-it"}, pendingTimeoutSeconds=1)
            second.await_leads(within=TAKEN_OVER_WITHIN)
            product.jobs.until("stuck", lambda body: body["status"].get("reason") == "NoMatchingDaemon")
            product.jobs.until("overdue", "Failed")
            product.await_events("stuck", "NoMatchingDaemon")
            product.await_events("overdue", "PendingTimeout")


def test_an_idle_leader_renews_its_lease_no_more_often_than_necessary(product: ProductNamespace, leases: Watch) -> None:
    with product.candidate() as leader:
        leader.await_leads()
        leases.until(LEASE, lambda _: len(leases.versions(LEASE)) >= 4)
        versions = leases.versions(LEASE)
    renewals = [_seconds(body["spec"]["renewTime"]) for body in versions if _holder(body)]
    # The wall clock of these timestamps may be adjusted while the test runs.
    assert all(later - earlier > RENEW_SECONDS - 1 for earlier, later in pairwise(renewals[:4]))


def test_a_deleted_lease_stays_with_its_holder(product: ProductNamespace, leases: Watch) -> None:
    with product.candidate() as leader:
        leader.await_leads()
        with product.candidate() as standby:
            holder, uid = _holder(product.lease()), product.lease()["metadata"]["uid"]
            product.admin.run("delete", "lease", LEASE)
            again = leases.until(LEASE, lambda body: body["metadata"]["uid"] != uid)
            leader.await_leads()
            assert _holder(again) == holder
            assert not standby.leads


def test_a_lease_created_by_hand_is_acquired(product: ProductNamespace) -> None:
    meta = {"name": LEASE, "labels": {"made": "by-hand"}}
    product.admin.create({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": {}})
    with product.candidate() as leader:
        leader.await_leads()
    assert product.lease()["metadata"]["labels"] == {"made": "by-hand"}


def test_without_permissions_on_the_lease_it_reports_the_fix_and_is_not_ready(bare_product: ProductNamespace) -> None:
    with bare_product.candidate() as candidate:
        candidate.await_status("/readyz", 503)
        candidate.await_that(
            lambda: "Bind the Role provisioner-operator" in candidate.fetch("/readyz")[1], "says what is missing"
        )
        assert candidate.fetch("/healthz") == (200, "ok\n")
        assert not candidate.leads
        bare_product.allow_election()
        candidate.await_leads()
        assert candidate.fetch("/readyz") == (200, "ok\n")


def _holder(lease: Manifest) -> str | None:
    holder: str | None = lease["spec"].get("holderIdentity")
    return holder


def _change_of_holder(leases: Watch, former: str | None) -> tuple[Manifest, Manifest]:
    """Return the versions of the Lease before and after the change of its holder."""
    versions = leases.versions(LEASE)
    at = next(at for at, body in enumerate(versions) if _holder(body) not in (None, former))
    return versions[at - 1], versions[at]


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _done(writes: dict[str, float]) -> dict[str, float]:
    """Return the writes without those that were dropped before sending, or abandoned when leadership ended."""
    given_up = ('result="dropped"', 'result="expired"')
    return {name: count for name, count in writes.items() if not any(result in name for result in given_up)}


def test_candidates_have_different_identities(product: ProductNamespace) -> None:
    def identity(program: OperatorProgram) -> str:
        program.await_leads()
        return str(_holder(product.lease()))

    with product.candidate() as first:
        names_seen = {identity(first)}
        first.terminate()
        first.exit_code()
    with product.candidate() as second:
        names_seen.add(identity(second))
    assert len(names_seen) == 2
