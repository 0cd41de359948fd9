"""`workspaces approve`: approve the plan for which a workspace's build waits."""

import sys

from provisioner_operator.api.v1alpha1.enums import StatusCondition, WorkspaceReason
from provisioner_operator.cli.api.client import Cluster
from provisioner_operator.cli.errors import CliError, Exit, NothingToDoError, PreconditionError, UsageError
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view.loading import read_job
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.workspaces.records import PlanRecord, Workspace
from provisioner_operator.kube import paths
from provisioner_operator.kube.parsing import UnparseableObjectError
from provisioner_operator.kube.workspace_parsing import parse_workspace

_ROLE = "provisioner-admin"


def approve_plan(session: Session, name: str, digest: str | None, *, yes: bool) -> Exit:
    """Approve the plan that waits, after showing it and asking for confirmation. Raises PreconditionError if none does."""
    cluster, namespace, terminal = session.cluster, session.namespace, session.terminal
    workspace = _read(cluster, namespace, name)
    plan = waiting_plan(workspace)
    if digest is not None and plan.digest != digest:
        raise PreconditionError(f"The plan that waits is another: {plan.digest}, made by job {plan.job}.")
    _, job = read_job(cluster, namespace, plan.job)
    terminal.say(f"{plan.job}: {plan.message or ''}")
    for each in job.status.resources:
        terminal.say(f"  {each.action:<8} {each.address}")
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(
                "Standard input is not a terminal to ask for confirmation: add --yes to approve this plan."
            )
        if not terminal.confirm(f"Apply this plan to workspace {name} in namespace {namespace}?"):
            raise PreconditionError("Not confirmed: nothing was changed.")
    # Only this plan: not one that was made while it was being read.
    tests = (
        ("/metadata/uid", workspace.uid),
        ("/spec/approved", workspace.approved),
        ("/status/plan/digest", plan.digest),
    )
    cluster.json_patch(
        paths.workspace(namespace, name), JsonPatch(tests, sets=(("/spec/approved", plan.digest),)), role=_ROLE
    )
    terminal.say(f"{name}: approved; its build follows")
    return Exit.OK


def _read(cluster: Cluster, namespace: str, name: str) -> Workspace:
    try:
        return parse_workspace(cluster.get(paths.workspace(namespace, name)))
    except UnparseableObjectError as error:
        raise CliError(f"This version cannot read workspace {name}: {error}") from error


def waiting_plan(workspace: Workspace) -> PlanRecord:
    """Return the plan that waits for approval. Raises NothingToDoError if it is approved, PreconditionError if none waits."""
    plan = workspace.status.plan
    if plan is not None and plan.digest is not None and workspace.approved == plan.digest:
        raise NothingToDoError(f"The plan of job {plan.job} is approved already.")
    ready = next((each for each in workspace.status.conditions if each.type == StatusCondition.READY), None)
    if plan is None or plan.digest is None or ready is None or ready.reason != WorkspaceReason.AWAITING_APPROVAL:
        said = "" if ready is None else f" {ready.message}"
        raise PreconditionError(f"No plan of it waits for approval.{said}")
    return plan
