"""Requests that a policy refuses, allows or completes: together they break every clause of every policy.

`broken_by.yaml` names for each clause a case that fails when the clause is dropped or turned. For a new clause, write such a
case, see it fail without the clause, and name it there.
"""

from integration.policies.cases import (
    cancel,
    daemon_registration,
    daemon_reports,
    daemon_writes,
    identity,
    ownership,
    stamping,
    state_lock,
    templates,
    workspace_approval,
    workspace_owner,
    workspace_parameters,
)
from integration.policies.cases.case import Case

CASES: tuple[Case, ...] = (
    *cancel.CASES,
    *identity.CASES,
    *ownership.CASES,
    *daemon_reports.CASES,
    *daemon_registration.CASES,
    *daemon_writes.CASES,
    *state_lock.CASES,
    *workspace_owner.CASES,
    *workspace_approval.CASES,
    *workspace_parameters.CASES,
    *templates.CASES,
    *stamping.CASES,
)
