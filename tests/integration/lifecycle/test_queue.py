"""Who is next, on which daemon, and who has to wait."""

from support.manifests import Manifest
from support.site import Site, a_job


def _create(site: Site, *jobs: Manifest) -> None:
    site.admin.run("create", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": list(jobs)})


def test_higher_priority_goes_first_then_the_oldest(site: Site) -> None:
    with site.daemon("single", tags={"queue": "order"}):
        tags = {"queue": "order"}
        site.submit("blocker", tags=tags, seconds=2)
        site.ledger.await_run("blocker")
        _create(
            site,
            a_job("order-1", tags=tags),
            a_job("order-2", tags=tags),
            a_job("order-3", tags=tags, priority=-5),
            a_job("order-4", tags=tags, priority=10),
        )
        wanted = ["blocker", "order-4", "order-1", "order-2", "order-3"]
        site.jobs.until_all(wanted, phases=["Completed"])
    assert [run.job for run in site.ledger.runs() if run.job in wanted] == wanted


def test_a_priority_may_be_changed_while_the_job_waits(site: Site) -> None:
    with site.daemon("fickle", tags={"queue": "priority"}):
        tags = {"queue": "priority"}
        site.submit("holder", tags=tags, seconds=2)
        site.ledger.await_run("holder")
        _create(site, a_job("early", tags=tags), a_job("late", tags=tags))
        site.admin.patch("pj", "late", {"spec": {"priority": 1}})
        wanted = ["holder", "late", "early"]
        site.jobs.until_all(wanted, phases=["Completed"])
    assert [run.job for run in site.ledger.runs() if run.job in wanted] == wanted


def test_jobs_of_one_workspace_run_one_at_a_time_in_order_whatever_their_priority(site: Site) -> None:
    with site.daemon("roomy", tags={"queue": "workspace"}, capacity=8):
        same = {"tags": {"queue": "workspace"}, "workspaceRef": {"name": "shared"}, "seconds": 0.2}
        wanted = [f"build-{number}" for number in range(5)]
        _create(site, *(a_job(name, **same, priority=at) for at, name in enumerate(wanted)))
        site.jobs.until_all(wanted, phases=["Completed"])
    assert [run.job for run in site.ledger.runs() if run.workspace == "shared"] == wanted
    site.ledger.assert_no_overlap()


def test_a_daemon_runs_as_many_jobs_at_a_time_as_its_capacity_says(site: Site) -> None:
    with site.daemon("triple", tags={"queue": "capacity"}, capacity=3):
        wanted = [f"parallel-{number}" for number in range(6)]
        _create(site, *(a_job(name, tags={"queue": "capacity"}, seconds=2) for name in wanted))
        site.jobs.until_all(wanted, phases=["Completed"])
    runs = [run for run in site.ledger.runs() if run.job in wanted]
    at_a_time = [sum(other.started <= run.started < (other.ended or float("inf")) for other in runs) for run in runs]
    assert max(at_a_time) == 3


def test_a_cordoned_daemon_finishes_what_runs_and_gets_nothing_new_until_it_is_uncordoned(site: Site) -> None:
    with site.daemon("maintained", tags={"queue": "cordon"}):
        site.submit("before", tags={"queue": "cordon"}, seconds=1)
        site.ledger.await_run("before")
        site.admin.patch("pd", "maintained", {"spec": {"cordoned": True}})
        site.submit("after", tags={"queue": "cordon"})
        site.jobs.until("before", "Completed")
        site.jobs.until("after", lambda body: body["status"].get("reason") == "DaemonsCordoned")
        assert site.ledger.runs_of("after") == []
        site.admin.patch("pd", "maintained", {"spec": {"cordoned": False}})
        site.jobs.until("after", "Completed")


def test_special_daemons_stay_free_for_those_who_need_them(site: Site) -> None:
    plain = {"queue": "special"}
    with site.daemon("special", tags=plain | {"gpu": "yes"}), site.daemon("ordinary", tags=plain):
        site.submit("modest", tags=plain, seconds=1)
        job = site.jobs.until("modest", "Running")
    assert job["status"]["assignment"]["daemon"] == "ordinary"
