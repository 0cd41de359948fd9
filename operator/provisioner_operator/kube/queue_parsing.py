"""Parsing of ProvisionerQueues into the policies by which the core orders jobs."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from provisioner_operator.api.v1alpha1.queueing.queue import OTHERS, ProvisionerQueue
from provisioner_operator.api.v1alpha1.queueing.queue import Fairness as FairnessModel
from provisioner_operator.api.v1alpha1.queueing.queue import History as HistoryModel
from provisioner_operator.api.v1alpha1.queueing.queue import Limit as LimitModel
from provisioner_operator.api.v1alpha1.queueing.queue import QueueStatus as StatusModel
from provisioner_operator.core.jobs.history import HistoryLimits
from provisioner_operator.core.scheduling.queueing.policy import Fairness, Grouping, Limit, QueuePolicy
from provisioner_operator.core.scheduling.queueing.records import GroupCount, LimitCount, Queue, QueueStatus
from provisioner_operator.kube.parsing import UnparseableObjectError, conditions_of, explain


def parse_queue(body: Mapping[str, Any]) -> Queue:
    """Parse a queue into its record. Raises UnparseableObjectError."""
    try:
        model = ProvisionerQueue.model_validate(body)
    except ValidationError as error:
        raise UnparseableObjectError(explain(error)) from None
    meta, spec = model.metadata, model.spec
    return Queue(
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        resource_version=int(meta.resource_version),
        generation=meta.generation,
        policy=QueuePolicy(
            fairness=None if spec.fairness is None else _fairness(spec.fairness),
            limits=tuple(_limit(each) for each in spec.limits),
            background=frozenset(spec.background_reasons),
        ),
        status=_status(model.status),
        history=None if spec.history is None else _history(spec.history),
    )


def _status(model: StatusModel) -> QueueStatus:
    return QueueStatus(
        pending=model.pending,
        running=model.running,
        groups=tuple(
            GroupCount(each.name, each.running, each.pending, each.share, each.waited_seconds) for each in model.groups
        ),
        limits=tuple(LimitCount(each.name, each.running, each.blocked) for each in model.limits),
        observed_generation=model.observed_generation,
        conditions=conditions_of(model.conditions),
    )


def _fairness(model: FairnessModel) -> Fairness:
    weights = {each.name: each.weight for each in model.weights}
    others = weights.pop(OTHERS, 1)
    return Fairness(Grouping(model.by, model.label), model.half_life_seconds, tuple(weights.items()), others)


def _history(model: HistoryModel) -> HistoryLimits:
    return HistoryLimits(model.completed, model.failed, model.per_workspace)


def _limit(model: LimitModel) -> Limit:
    match = model.match
    return Limit(
        name=model.name,
        most=model.max_running,
        per=None if model.per is None else Grouping(model.per, model.label),
        template=match.template,
        transition=match.transition,
        initiator=match.initiator,
        tags=frozenset(match.tags.items()),
    )
