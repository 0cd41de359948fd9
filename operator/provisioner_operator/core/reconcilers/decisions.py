"""Gather the decisions that the job reconciler makes: about jobs, queues, daemons and their Pods."""

from provisioner_operator.core.daemons.decisions import DaemonDecision, PodDecision
from provisioner_operator.core.jobs.decisions import JobDecision
from provisioner_operator.core.scheduling.queueing.status import UpdateQueueStatus

JobReconcilerDecision = JobDecision | DaemonDecision | PodDecision | UpdateQueueStatus
