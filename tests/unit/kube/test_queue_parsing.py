"""A ProvisionerQueue becomes the policy that it states."""

from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import BackgroundWork, GroupField, JobType, Transition
from provisioner_operator.api.v1alpha1.names import BUILD_REASON_LABEL
from provisioner_operator.core.jobs.history import HistoryLimits
from provisioner_operator.core.scheduling.queueing.policy import Fairness, Grouping, Limit, QueuePolicy
from provisioner_operator.core.scheduling.queueing.records import Queue
from provisioner_operator.core.scheduling.queueing.status import UpdateQueueStatus, differs
from provisioner_operator.kube.parsing import UnparseableObjectError, parse_job
from provisioner_operator.kube.queue_parsing import parse_queue
from support.builders.manifests import a_job_manifest, a_queue_manifest
from support.builders.stored import stored


def parsed(**spec: Any) -> Queue:
    return parse_queue(stored(a_queue_manifest(**spec)))


def test_an_empty_policy_changes_nothing() -> None:
    assert parsed().policy == QueuePolicy()


def test_a_full_policy_is_read_whole() -> None:
    policy = parsed(
        fairness={
            "by": "Label",
            "label": "team",
            "weights": [{"name": "ci", "weight": 1}, {"name": "*", "weight": 4}],
            "halfLifeSeconds": 600,
        },
        limits=[
            {
                "name": "heavy",
                "match": {"template": "gpu", "transition": "Start", "tags": {"a": "b"}, "initiator": "ann"},
                "maxRunning": 2,
            },
            {"name": "each", "per": "Initiator", "maxRunning": 5},
        ],
        backgroundReasons=["Autostop"],
    ).policy
    assert policy == QueuePolicy(
        Fairness(Grouping(GroupField.LABEL, "team"), 600, (("ci", 1),), 4),
        (
            Limit("heavy", 2, None, "gpu", Transition.START, "ann", frozenset({("a", "b")})),
            Limit("each", 5, Grouping(GroupField.INITIATOR)),
        ),
        frozenset({BackgroundWork.AUTOSTOP}),
    )
    assert policy.fairness is not None
    assert policy.fairness.by.describe("red") == "label team red"
    assert policy.fairness.by.describe("") == "jobs without label team"
    with pytest.raises(LookupError):
        policy.limit("nothing")


def test_groups_without_a_weight_have_the_weight_one() -> None:
    policy = parsed(fairness={"weights": [{"name": "ci", "weight": 3}]}).policy
    assert policy.fairness is not None
    assert (policy.fairness.weights, policy.fairness.default_weight) == ((("ci", 3),), 1)


def test_a_history_is_read_whole_and_keeps_runs_while_they_count() -> None:
    queue = parsed(history={"completed": 20, "failed": 100, "perWorkspace": 10})
    assert queue.history == queue.kept_history == HistoryLimits(20, 100, 10)
    fair = parsed(history={"failed": 0}, fairness={"halfLifeSeconds": 600})
    assert fair.history == HistoryLimits(failed=0)
    assert fair.kept_history == HistoryLimits(failed=0, run_seconds=1800)
    assert parsed().kept_history is None


def test_a_status_that_was_written_reads_as_it_was_meant() -> None:
    status = {
        "pending": 2,
        "running": 1,
        "groups": [{"name": "ann", "running": 1, "pending": 2, "share": 100, "waitedSeconds": 9}],
        "limits": [{"name": "each", "running": 1, "blocked": 2}],
        "observedGeneration": 1,
    }
    body = stored(a_queue_manifest())
    queue = parse_queue({**body, "status": status})
    (_, written), *_ = UpdateQueueStatus(queue, queue.status).patch().sets
    assert written == {**status, "conditions": []}
    assert not differs(queue.status, parse_queue({**body, "status": status}).status)


def test_a_queue_of_a_later_version_is_not_guessed() -> None:
    with pytest.raises(UnparseableObjectError, match="by"):
        parsed(fairness={"by": "Moon"})


@pytest.mark.parametrize(
    ("labels", "type_", "reason"),
    [
        ({}, JobType.TEMPLATE_IMPORT, BackgroundWork.TEMPLATE_IMPORT),
        ({BUILD_REASON_LABEL: "Autostop"}, JobType.WORKSPACE_BUILD, BackgroundWork.AUTOSTOP),
        ({BUILD_REASON_LABEL: "Drift"}, JobType.WORKSPACE_BUILD, BackgroundWork.DRIFT),
        ({BUILD_REASON_LABEL: "Else"}, JobType.WORKSPACE_BUILD, None),
        ({}, JobType.WORKSPACE_BUILD, None),
    ],
)
def test_a_job_knows_whether_anybody_waits_for_it(
    labels: dict[str, str], type_: JobType, reason: BackgroundWork | None
) -> None:
    body = stored(a_job_manifest("job", type=type_))
    body["metadata"]["labels"] = labels | {"team": "red"}
    job = parse_job(body)
    assert job.background_reason is reason
    assert job.labels == {("team", "red")}
