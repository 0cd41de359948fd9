"""Actions on jobs and daemons while an operator and daemons run, as users of each role."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from integration.conftest import ROLES
from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.jobs.requests import CancelRequest
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.model.request_errors import Cause
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import ForbiddenError, NotFoundError
from provisioner_operator.kube.object_states import Body
from provisioner_operator.web.actions import daemons, jobs
from provisioner_operator.web.actions.change import ATTEMPTS, change
from provisioner_operator.web.actions.outcome import Outcome, Result
from provisioner_operator.web.actions.retry import retry
from provisioner_operator.web.actions.target import ObjectRef
from support.cluster.shared_cluster import Cluster
from support.programs.user_clients import UserClients, user_clients
from support.test_namespace import ProductNamespace, a_serving_namespace
from support.unique import unique

HERE = {"place": "here"}
THERE = {"place": "there"}
NOWHERE = {"place": "nowhere"}
ASK = CancelRequest()
IF_PENDING = CancelRequest(expected=Phase.PENDING)

Action = Callable[[KubeClient, ObjectRef], Awaitable[Outcome]]


@pytest.fixture(scope="module")
def busy(cluster: Cluster, module_namespace: str) -> Iterator[ProductNamespace]:
    """A namespace with an operator and a daemon `d1` of four slots."""
    with a_serving_namespace(cluster, module_namespace, tags=HERE) as product:
        yield product


@pytest.fixture(scope="module")
def users(busy: ProductNamespace) -> Iterator[UserClients]:
    """Users of the module's namespace; `initiator` may do what a submitter may."""
    with user_clients(busy.admin, ROLES | {"initiator": "provisioner-submitter"}) as users:
        yield users


def ref(product: ProductNamespace, name: str, kind: str = "pj") -> ObjectRef:
    return ObjectRef(product.namespace, name, product.admin.get(kind, name)["metadata"]["uid"])


def a_pending_job(product: ProductNamespace, **spec: Any) -> ObjectRef:
    """Submit a job that no daemon can run."""
    name = unique("pending")
    product.submit(name, **({"tags": NOWHERE} | spec))
    return ref(product, name)


def a_running_job(product: ProductNamespace, **spec: Any) -> ObjectRef:
    """Submit a job that runs until the ledger releases it, and wait for its start."""
    name = unique("running")
    product.submit_held(name, **({"tags": HERE} | spec))
    return ref(product, name)


def an_ended_job(product: ProductNamespace, **spec: Any) -> ObjectRef:
    """Submit a job and wait for its end."""
    name = unique("ended")
    product.submit(name, tags=HERE, **spec)
    product.jobs.until_all([name])
    return ref(product, name)


def act(users: UserClients, user: str, action: Action, target: ObjectRef) -> Outcome:
    return users.act(user, lambda client: action(client, target))


def canceling(request: CancelRequest = ASK) -> Action:
    return lambda client, job: jobs.cancel(client, job, request)


def test_a_pending_job_is_canceled_with_its_reason_and_only_once(busy: ProductNamespace, users: UserClients) -> None:
    job = a_pending_job(busy)

    outcome = act(users, "namespace-admin", canceling(CancelRequest(reason="wrong region")), job)

    assert (outcome.result, outcome.message) == (Result.DONE, "Cancel requested. It had not started.")
    assert outcome.body is not None
    assert outcome.body["spec"]["cancel"] is True
    body = busy.jobs.until(job.name, "Canceled")
    assert (body["spec"]["cancelReason"], body["spec"].get("canceledBy", users.name("namespace-admin"))) == (
        "wrong region",
        users.name("namespace-admin"),
    )
    again = act(users, "namespace-admin", canceling(), job)
    assert (again.result, again.cause) == (Result.NOTHING_TO_DO, Cause.CANCELED)


@pytest.mark.parametrize("user", ["nobody", "viewer", "submitter"])
def test_a_user_without_the_verb_may_not_cancel(busy: ProductNamespace, users: UserClients, user: str) -> None:
    job = a_pending_job(busy)
    with pytest.raises(ForbiddenError) as raised:
        act(users, user, canceling(), job)
    if user == "submitter":
        assert 'the verb "cancel" on resource "provisionerjobs"' in str(raised.value)
    assert (
        "cancel" not in busy.admin.get("pj", job.name)["spec"] or not busy.admin.get("pj", job.name)["spec"]["cancel"]
    )


def test_a_run_is_left_alone_by_a_cancel_of_what_is_pending(busy: ProductNamespace, users: UserClients) -> None:
    job = a_running_job(busy)
    busy.jobs.until(job.name, "Running")

    outcome = act(users, "namespace-admin", canceling(IF_PENDING), job)

    assert (outcome.result, outcome.cause) == (Result.REFUSED, Cause.UNEXPECTED_PHASE)
    assert "it is Running" in outcome.message
    interrupted = act(users, "namespace-admin", canceling(CancelRequest(expected=Phase.RUNNING)), job)
    assert interrupted.message == "Cancel requested. Its run is being interrupted."
    busy.jobs.until(job.name, "Canceled")


def test_force_kills_a_run_that_does_not_listen_also_after_a_first_cancel(
    busy: ProductNamespace, users: UserClients
) -> None:
    job = a_running_job(busy, ignore_interrupt="true")
    busy.jobs.until(job.name, "Running")
    assert act(users, "namespace-admin", canceling(), job).result is Result.DONE
    repeated = act(users, "namespace-admin", canceling(), job)
    assert (repeated.result, repeated.cause) == (Result.NOTHING_TO_DO, Cause.CANCEL_REQUESTED)

    outcome = act(users, "namespace-admin", canceling(CancelRequest(force=True)), job)

    assert outcome.message == "Cancel requested. Its run is being killed."
    busy.jobs.until(job.name, "Canceled")


def test_an_ended_job_is_not_canceled(busy: ProductNamespace, users: UserClients) -> None:
    outcome = act(users, "namespace-admin", canceling(), an_ended_job(busy))
    assert (outcome.result, outcome.cause) == (Result.REFUSED, Cause.ENDED)
    assert outcome.message == "It has ended: it is Completed."


def test_another_job_of_the_name_is_never_hit(busy: ProductNamespace, users: UserClients) -> None:
    job = a_pending_job(busy)
    earlier = ObjectRef(job.namespace, job.name, "uid-of-an-earlier-job")
    for action in (canceling(), jobs.suspend, retry):
        with pytest.raises(NotFoundError):
            act(users, "namespace-admin", action, earlier)
    assert not busy.admin.get("pj", job.name)["spec"].get("cancel")


def test_many_are_canceled_each_with_its_own_outcome(busy: ProductNamespace, users: UserClients) -> None:
    pending, ended = [a_pending_job(busy) for _ in range(10)], an_ended_job(busy)
    gone = ObjectRef(busy.namespace, "not-there", "u")

    outcomes = users.act("namespace-admin", lambda client: jobs.cancel_all(client, [*pending, ended, gone], ASK))

    assert [each.result if isinstance(each, Outcome) else type(each) for each in outcomes] == [
        *[Result.DONE] * 10,
        Result.REFUSED,
        NotFoundError,
    ]
    refused = users.act("submitter", lambda client: jobs.cancel_all(client, [a_pending_job(busy)], ASK))
    assert [type(each) for each in refused] == [ForbiddenError]


def test_a_job_that_changes_meanwhile_is_read_again(busy: ProductNamespace, users: UserClients) -> None:
    job = a_pending_job(busy, priority=1)
    seen: list[int] = []

    def decide(body: Body) -> JsonPatch:
        seen.append(body["spec"]["priority"])
        if len(seen) == 1:
            busy.admin.patch("pj", job.name, {"spec": {"priority": 2}})
        return JsonPatch(tests=(("/spec/priority", seen[-1]),), sets=(("/spec/priority", 9),))

    def raced(client: KubeClient, target: ObjectRef) -> Awaitable[Outcome]:
        return change(
            client, paths.job(target.namespace, target.name), target, decide, lambda before: str(before["spec"])
        )

    assert act(users, "namespace-admin", raced, job).result is Result.DONE
    assert seen == [1, 2]
    assert busy.admin.get("pj", job.name)["spec"]["priority"] == 9


def test_a_job_that_never_stops_changing_is_left_alone(busy: ProductNamespace, users: UserClients) -> None:
    job = a_pending_job(busy, priority=1)
    attempts: list[Body] = []

    def decide(body: Body) -> JsonPatch:
        attempts.append(body)
        return JsonPatch(tests=(("/spec/priority", 99),), sets=(("/spec/priority", 9),))

    def restless(client: KubeClient, target: ObjectRef) -> Awaitable[Outcome]:
        return change(client, paths.job(target.namespace, target.name), target, decide, lambda _: "")

    outcome = act(users, "namespace-admin", restless, job)
    assert (outcome.result, outcome.cause, len(attempts)) == (Result.REFUSED, Cause.KEEPS_CHANGING, ATTEMPTS)
    assert busy.admin.get("pj", job.name)["spec"]["priority"] == 1


def priority_of_5(client: KubeClient, job: ObjectRef) -> Awaitable[Outcome]:
    return jobs.set_priority(client, job, 5)


@pytest.mark.parametrize("action", [jobs.suspend, priority_of_5])
def test_only_its_initiator_and_admins_move_a_job_in_the_queue(
    busy: ProductNamespace, users: UserClients, action: Action
) -> None:
    job = a_pending_job(busy, initiator=users.name("initiator"))
    for user in ("viewer", "submitter"):
        with pytest.raises(ForbiddenError):
            act(users, user, action, job)

    assert act(users, "initiator", action, job).result is Result.DONE

    again = act(users, "namespace-admin", action, job)
    assert (again.result, again.cause) == (Result.NOTHING_TO_DO, Cause.AS_REQUESTED)


def test_a_suspended_job_is_resumed_and_one_that_runs_is_not(busy: ProductNamespace, users: UserClients) -> None:
    job = a_pending_job(busy, suspend=True, tags=HERE)
    assert act(users, "namespace-admin", jobs.resume, job).message == "It waits in the queue again."
    busy.jobs.until(job.name, "Completed")
    running = a_running_job(busy)
    busy.jobs.until(running.name, "Running")
    for action in (jobs.resume, priority_of_5):
        refused = act(users, "namespace-admin", action, running)
        assert (refused.result, refused.cause) == (Result.REFUSED, Cause.STARTED)
    busy.ledger.release(running.name)


def retrying(key: str) -> Action:
    return lambda client, job: retry(client, job, key)


def test_a_failed_job_is_retried_by_those_who_may_submit(busy: ProductNamespace, users: UserClients) -> None:
    job = an_ended_job(busy, fail="boom", priority=3)
    with pytest.raises(ForbiddenError):
        act(users, "viewer", retry, job)

    outcome = act(users, "submitter", retry, job)

    assert (outcome.result, outcome.message) == (Result.DONE, f"Submitted again, as {job.name}-retry-1.")
    assert outcome.body is not None
    assert outcome.body["spec"]["priority"] == 3
    assert outcome.body["metadata"]["annotations"]["provisioner.dev/retry-of"] == job.name
    assert act(users, "submitter", retry, job).message == f"Submitted again, as {job.name}-retry-2."


def test_a_repeated_request_finds_the_retry_of_the_first(busy: ProductNamespace, users: UserClients) -> None:
    job = an_ended_job(busy, fail="boom")

    first, second = (act(users, "submitter", retrying("key-1"), job) for _ in range(2))
    other = act(users, "submitter", retrying("key-2"), job)

    assert first.body is not None
    assert second.body is not None
    assert other.body is not None
    assert (second.result, second.message) == (Result.DONE, first.message)
    assert second.body["metadata"]["uid"] == first.body["metadata"]["uid"]
    assert other.body["metadata"]["uid"] != first.body["metadata"]["uid"]
    ours = [body for body in busy.admin.list_all("pj") if body["metadata"]["name"].startswith(f"{job.name}-retry-")]
    assert len(ours) == 2


def test_a_job_that_has_not_ended_is_not_retried(busy: ProductNamespace, users: UserClients) -> None:
    outcome = act(users, "submitter", retry, a_pending_job(busy))
    assert (outcome.result, outcome.cause) == (Result.REFUSED, Cause.NOT_ENDED)


def test_a_daemon_is_cordoned_and_uncordoned_by_admins(busy: ProductNamespace, users: UserClients) -> None:
    with busy.daemon("d2", tags=THERE):
        daemon = ref(busy, "d2", "pd")
        for user in ("viewer", "submitter"):
            with pytest.raises(ForbiddenError):
                act(users, user, daemons.cordon, daemon)
        assert act(users, "namespace-admin", daemons.cordon, daemon).result is Result.DONE
        assert act(users, "namespace-admin", daemons.cordon, daemon).result is Result.NOTHING_TO_DO
        assert busy.admin.get("pd", "d2")["spec"]["cordoned"] is True
        assert act(users, "namespace-admin", daemons.uncordon, daemon).message == "It gets jobs again."
        assert busy.admin.get("pd", "d2")["spec"]["cordoned"] is False


def test_a_drain_names_what_it_waits_for_and_kills_it_only_by_force(busy: ProductNamespace, users: UserClients) -> None:
    with busy.daemon("d3", tags={"place": "third"}):
        job = a_running_job(busy, tags={"place": "third"}, ignore_interrupt="true")
        busy.jobs.until(job.name, "Running")
        daemon = ref(busy, "d3", "pd")
        with pytest.raises(ForbiddenError):
            users.act("submitter", lambda client: daemons.drain(client, daemon))

        drained = users.act("namespace-admin", lambda client: daemons.drain(client, daemon))
        assert (drained.cordon.result, drained.jobs, drained.kills) == (Result.DONE, (job.name,), ())
        assert not busy.admin.get("pj", job.name)["spec"].get("cancel")

        forced = users.act("namespace-admin", lambda client: daemons.drain(client, daemon, force=True))
        assert forced.cordon.result is Result.NOTHING_TO_DO
        ((name, outcome),) = forced.kills
        assert name == job.name
        assert isinstance(outcome, Outcome)
        assert outcome.message == "Its run is being killed."
        body = busy.jobs.until(job.name, "Canceled")
        assert body["spec"]["cancelReason"] == daemons.FORCED
