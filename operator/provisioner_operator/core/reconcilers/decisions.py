"""Gather the decisions that the job reconciler makes: about jobs, daemons and their Pods."""

from provisioner_operator.core.daemons.decisions import DaemonDecision, PodDecision
from provisioner_operator.core.jobs.decisions import JobDecision

JobReconcilerDecision = JobDecision | DaemonDecision | PodDecision
