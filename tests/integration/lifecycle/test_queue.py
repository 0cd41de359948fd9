"""Who is next, on which daemon, and who has to wait."""

from support.manifests import Manifest
from support.test_namespace import Site, a_job, names


def _create(site: Site, *jobs: Manifest) -> None:
    site.admin.run("create", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": list(jobs)})


def test_higher_priority_goes_first_then_the_oldest(site: Site) -> None:
    with site.daemon("single", tags={"queue": "order"}):
        tags = {"queue": "order"}
        site.submit_held("blocker", tags=tags)
        _create(
            site,
            a_job("order-1", tags=tags),
            a_job("order-2", tags=tags),
            a_job("order-3", tags=tags, priority=-5),
            a_job("order-4", tags=tags, priority=10),
        )
        site.await_seen()
        site.ledger.release("blocker")
        wanted = ["blocker", "order-4", "order-1", "order-2", "order-3"]
        site.jobs.until_all(wanted, phases=["Completed"])
    assert [run.job for run in site.ledger.runs() if run.job in wanted] == wanted


def test_a_priority_may_be_changed_while_the_job_waits(site: Site) -> None:
    with site.daemon("fickle", tags={"queue": "priority"}):
        tags = {"queue": "priority"}
        site.submit_held("holder", tags=tags)
        _create(site, a_job("early", tags=tags), a_job("late", tags=tags))
        site.admin.patch("pj", "late", {"spec": {"priority": 1}})
        site.await_seen()
        site.ledger.release("holder")
        wanted = ["holder", "late", "early"]
        site.jobs.until_all(wanted, phases=["Completed"])
    assert [run.job for run in site.ledger.runs() if run.job in wanted] == wanted


def test_jobs_of_one_workspace_run_one_at_a_time_in_order_whatever_their_priority(site: Site) -> None:
    with site.daemon("roomy", tags={"queue": "workspace"}, capacity=8):
        same = {"tags": {"queue": "workspace"}, "workspaceRef": {"name": "shared"}}
        wanted = [f"build-{number}" for number in range(5)]
        site.submit_held(wanted[0], **same)
        _create(site, *(a_job(name, **same, priority=at) for at, name in enumerate(wanted) if at))
        site.await_seen()
        site.ledger.release(wanted[0])
        site.jobs.until_all(wanted, phases=["Completed"])
    assert [run.job for run in site.ledger.runs() if run.workspace == "shared"] == wanted
    site.ledger.assert_no_overlap()


def test_a_daemon_runs_as_many_jobs_at_a_time_as_its_capacity_says(site: Site) -> None:
    with site.daemon("triple", tags={"queue": "capacity"}, capacity=3):
        first, then = names("parallel-first", 3), names("parallel-then", 3)
        for name in first:
            site.submit_held(name, tags={"queue": "capacity"})
        site.submit_all(then, tags={"queue": "capacity"}, hold="true")
        site.await_seen()
        assert [site.ledger.runs_of(name) for name in then] == [[], [], []]
        for name in first:
            site.ledger.release(name)
        for name in then:
            site.ledger.await_run(name)
            site.ledger.release(name)
        site.jobs.until_all([*first, *then], phases=["Completed"])


def test_a_cordoned_daemon_finishes_what_runs_and_gets_nothing_new_until_it_is_uncordoned(site: Site) -> None:
    with site.daemon("maintained", tags={"queue": "cordon"}):
        site.submit_held("before", tags={"queue": "cordon"})
        site.admin.patch("pd", "maintained", {"spec": {"cordoned": True}})
        site.submit("after", tags={"queue": "cordon"})
        site.jobs.until("after", lambda body: body["status"].get("reason") == "DaemonsCordoned")
        site.ledger.release("before")
        site.jobs.until("before", "Completed")
        assert site.ledger.runs_of("after") == []
        site.admin.patch("pd", "maintained", {"spec": {"cordoned": False}})
        site.jobs.until("after", "Completed")


def test_special_daemons_stay_free_for_those_who_need_them(site: Site) -> None:
    plain = {"queue": "special"}
    with site.daemon("special", tags=plain | {"gpu": "yes"}), site.daemon("ordinary", tags=plain):
        # While one is busy only the other can take a job: after that the controller is known to know both.
        site.submit_held("demanding", tags=plain | {"gpu": "yes"})
        site.submit("warm-up", tags=plain)
        site.jobs.until("warm-up", "Completed")
        site.ledger.release("demanding")
        site.jobs.until("demanding", "Completed")
        # A heartbeat that still lists the job that has ended takes a slot.
        site.daemons.until_latest("ordinary", _reports_nothing)
        site.await_seen()
        site.submit("modest", tags=plain)
        job = site.jobs.until("modest", "Completed")
    assert job["status"]["assignment"]["daemon"] == "ordinary"


def _reports_nothing(body: Manifest) -> bool:
    return body["status"]["state"] == "Idle" and not body["status"].get("currentJobs")
