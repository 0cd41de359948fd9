"""Order of the queue, choice of daemons, and jobs that must wait."""

from support.manifests import Manifest
from support.test_namespace import ProductNamespace, a_job, names


def _create(product: ProductNamespace, *jobs: Manifest) -> None:
    product.admin.create_all(list(jobs))


def test_higher_priority_goes_first_then_the_oldest(product: ProductNamespace) -> None:
    with product.daemon("single", tags={"queue": "order"}):
        tags = {"queue": "order"}
        product.submit_held("blocker", tags=tags)
        _create(
            product,
            a_job("order-1", tags=tags),
            a_job("order-2", tags=tags),
            a_job("order-3", tags=tags, priority=-5),
            a_job("order-4", tags=tags, priority=10),
        )
        product.await_seen()
        product.ledger.release("blocker")
        wanted = ["blocker", "order-4", "order-1", "order-2", "order-3"]
        product.jobs.until_all(wanted, phases=["Completed"])
    assert [run.job for run in product.ledger.runs() if run.job in wanted] == wanted


def test_a_priority_may_be_changed_while_the_job_waits(product: ProductNamespace) -> None:
    with product.daemon("fickle", tags={"queue": "priority"}):
        tags = {"queue": "priority"}
        product.submit_held("holder", tags=tags)
        _create(product, a_job("early", tags=tags), a_job("late", tags=tags))
        product.admin.patch("pj", "late", {"spec": {"priority": 1}})
        product.await_seen()
        product.ledger.release("holder")
        wanted = ["holder", "late", "early"]
        product.jobs.until_all(wanted, phases=["Completed"])
    assert [run.job for run in product.ledger.runs() if run.job in wanted] == wanted


def test_jobs_of_one_workspace_run_one_at_a_time_in_order_whatever_their_priority(product: ProductNamespace) -> None:
    with product.daemon("roomy", tags={"queue": "workspace"}, capacity=8):
        same = {"tags": {"queue": "workspace"}, "workspaceRef": {"name": "shared"}}
        wanted = [f"build-{number}" for number in range(5)]
        product.submit_held(wanted[0], **same)
        _create(product, *(a_job(name, **same, priority=at) for at, name in enumerate(wanted) if at))
        product.await_seen()
        product.ledger.release(wanted[0])
        product.jobs.until_all(wanted, phases=["Completed"])
    assert [run.job for run in product.ledger.runs() if run.workspace == "shared"] == wanted
    product.ledger.assert_no_overlap()


def test_a_daemon_runs_as_many_jobs_at_a_time_as_its_capacity(product: ProductNamespace) -> None:
    with product.daemon("triple", tags={"queue": "capacity"}, capacity=3):
        first, then = names("parallel-first", 3), names("parallel-then", 3)
        for name in first:
            product.submit_held(name, tags={"queue": "capacity"})
        product.submit_all(then, tags={"queue": "capacity"}, hold="true")
        product.await_seen()
        assert [product.ledger.runs_of(name) for name in then] == [[], [], []]
        for name in first:
            product.ledger.release(name)
        for name in then:
            product.ledger.await_run(name)
            product.ledger.release(name)
        product.jobs.until_all([*first, *then], phases=["Completed"])


def test_a_cordoned_daemon_finishes_its_runs_and_gets_no_jobs_until_it_is_uncordoned(
    product: ProductNamespace,
) -> None:
    with product.daemon("maintained", tags={"queue": "cordon"}):
        product.submit_held("before", tags={"queue": "cordon"})
        product.admin.patch("pd", "maintained", {"spec": {"cordoned": True}})
        product.submit("after", tags={"queue": "cordon"})
        product.jobs.until("after", lambda body: body["status"].get("reason") == "DaemonsCordoned")
        product.ledger.release("before")
        product.jobs.until("before", "Completed")
        assert product.ledger.runs_of("after") == []
        product.admin.patch("pd", "maintained", {"spec": {"cordoned": False}})
        product.jobs.until("after", "Completed")


def test_daemons_with_special_tags_stay_free_for_jobs_that_need_them(product: ProductNamespace) -> None:
    plain = {"queue": "special"}
    with product.daemon("special", tags=plain | {"gpu": "yes"}), product.daemon("ordinary", tags=plain):
        # While one is busy, only the other can run a job; a job there proves that the controller has observed both.
        product.submit_held("demanding", tags=plain | {"gpu": "yes"})
        product.submit("warm-up", tags=plain)
        product.jobs.until("warm-up", "Completed")
        product.ledger.release("demanding")
        product.jobs.until("demanding", "Completed")
        # A heartbeat that still lists an ended job occupies a slot.
        product.daemons.until_latest("ordinary", _reports_nothing)
        product.await_seen()
        product.submit("modest", tags=plain)
        job = product.jobs.until("modest", "Completed")
    assert job["status"]["assignment"]["daemon"] == "ordinary"


def _reports_nothing(body: Manifest) -> bool:
    return body["status"]["state"] == "Idle" and not body["status"].get("currentJobs")
