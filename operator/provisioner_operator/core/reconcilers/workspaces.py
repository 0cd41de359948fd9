"""Reconcile templates and workspaces from the cache.

The controller calls `decide` whenever it calls the job reconciler's. Only objects that changed are reconciled again. A
decision is under way until it is `settled`.
"""

from collections.abc import Iterator

from typing_extensions import override

from provisioner_operator.core.jobs.workspace_permission import Ownership
from provisioner_operator.core.model.backoff import Backoff, Refusal
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.records import UnreadableObject
from provisioner_operator.core.reconcilers.drift_cache import DriftCache
from provisioner_operator.core.reconcilers.plan_cache import PlanCache
from provisioner_operator.core.reconcilers.workspace_entries import TemplateEntry, WorkspaceEntry
from provisioner_operator.core.scheduling.workspace_queue import NamespacedName
from provisioner_operator.core.workspaces.build_history import BuildFacts
from provisioner_operator.core.workspaces.build_plan import WorkspacePlan, plan_workspace
from provisioner_operator.core.workspaces.decisions import (
    FindWorkspaces,
    UpdateTemplateStatus,
    UpdateWorkspaceStatus,
    WorkspaceDecision,
)
from provisioner_operator.core.workspaces.records import Template, Workspace
from provisioner_operator.core.workspaces.refused_step import RefusedStep
from provisioner_operator.core.workspaces.template_plan import TemplateFacts, TemplatePlan, plan_template

_STATUS = (UpdateTemplateStatus, UpdateWorkspaceStatus)


class WorkspaceReconciler(PlanCache, DriftCache):
    """Brings templates and workspaces to their desired states."""

    def __init__(self) -> None:
        super().__init__()
        self._unreadable: dict[str, UnreadableObject] = {}
        """Workspaces in a state that cannot be parsed: each may use any template of its namespace."""
        self._listed: set[str] = set()
        """Namespaces whose workspaces were listed in this term of leadership; in others an unknown one may exist."""
        self._unsaved: dict[NamespacedName, str] = {}
        """Reasons for which the states of these workspaces are not saved yet."""

    # --- workspaces that cannot be parsed ---

    def observe_unreadable_workspace(self, workspace: UnreadableObject) -> None:
        """Observe that a workspace exists and cannot be parsed."""
        known = self._workspaces.get(workspace.uid, WorkspaceEntry()).workspace
        is_old = known is not None and workspace.resource_version <= known.resource_version
        if not is_old and not self._gone.covers(workspace.uid, workspace.resource_version):
            self._unreadable[workspace.uid] = workspace
            self._workspace_uids.add((workspace.namespace, workspace.name), workspace.uid)
            self.park(workspace.uid)

    def unreadable_workspaces(self) -> Iterator[UnreadableObject]:
        """Iterate over all workspaces in a state that cannot be parsed."""
        return iter(self._unreadable.values())

    @override
    def observe_workspace(self, workspace: Workspace) -> bool:
        unreadable = self._unreadable.get(workspace.uid)
        if unreadable is not None and workspace.resource_version < unreadable.resource_version:
            return False
        if not super().observe_workspace(workspace):
            return False
        self._forget_unreadable(workspace.uid)
        return True

    @override
    def workspace_deleted(self, uid: str) -> None:
        if (workspace := self._unreadable.get(uid)) is not None:
            self._workspace_uids.remove((workspace.namespace, workspace.name), uid)
        self._forget_unreadable(uid)
        super().workspace_deleted(uid)

    def ownership_of(self, workspace: NamespacedName) -> Ownership | None:
        """Return the ownership of the Workspace of that name; None if there is no such Workspace."""
        uid = self._workspace_uids.get(workspace)
        if (unreadable := self._unreadable.get(uid)) is not None:
            return Ownership(unreadable.owner, unreadable=True)
        entry = self._workspaces.get(uid)
        found = None if entry is None else entry.workspace
        if found is None:
            return None
        return Ownership(found.owner, needs_approval=found.needs_approval, approved=found.approved)

    def _forget_unreadable(self, uid: str) -> None:
        """Requeue the templates that an unreadable workspace held, since it is no longer one."""
        if (workspace := self._unreadable.pop(uid, None)) is not None:
            self._queue_templates_in(workspace.namespace)

    def _queue_templates_in(self, namespace: str) -> None:
        self._work.add(*(each.uid for each in self.templates() if each.namespace == namespace))

    # --- states that are not saved yet ---

    def observe_unsaved_state(self, workspace: NamespacedName, reason: str | None) -> None:
        """Observe why the state of a workspace is not saved yet; None once it is."""
        if reason is None:
            self._unsaved.pop(workspace, None)
        else:
            self._unsaved[workspace] = reason
        if uid := self._workspace_uids.get(workspace):
            self._work.add(uid)

    # --- workspaces that were never observed ---

    @override
    def leadership_gained(self) -> None:
        super().leadership_gained()
        self._listed.clear()

    def workspaces_listed(self, namespace: str) -> None:
        """Record that all workspaces of the namespace were listed and observed."""
        self._listed.add(namespace)

    # --- the outcome of decisions ---

    def refused(self, decision: WorkspaceDecision, refusal: Refusal, now: Instant) -> bool:
        """Record that the API server refused the write, and back off; return whether to report it."""
        entry = self._entry(decision.regarding.uid)
        if entry is None:
            return False
        kind = type(decision).__name__
        if isinstance(decision, _STATUS):
            entry.status_backoff = entry.status_backoff or Backoff()
            return entry.status_backoff.refused(kind, refusal, now.monotonic)
        entry.backoff = entry.backoff or Backoff()
        return entry.backoff.refused(kind, refusal, now.monotonic)

    def accepted(self, decision: WorkspaceDecision) -> None:
        """Record that the write succeeded, and reset its backoff."""
        entry = self._entry(decision.regarding.uid)
        if entry is None:
            return
        if isinstance(decision, _STATUS):
            entry.status_backoff = None
        else:
            entry.backoff = None

    def settled(self, decision: WorkspaceDecision, _: Instant) -> None:
        """End a decision, whatever its outcome, and queue its object."""
        self._work.done(decision.subject)
        if isinstance(decision, FindWorkspaces):
            self._queue_templates_in(decision.template.namespace)
        else:
            self._work.add(decision.subject)

    # --- the loop ---

    def decide(self, now: Instant) -> Iterator[WorkspaceDecision]:
        """Yield all decisions that are due; each is under way until it is `settled`."""
        while (uid := self._work.pop(now.monotonic)) is not None:
            decision = self._decide_one(uid, now)
            # The list of a namespace's workspaces may be under way for another template, and queues this one at its end.
            if decision is not None and not self._work.is_under_way(decision.subject):
                self._work.begin(decision.subject)
                yield decision

    def next_wake(self) -> float | None:
        """Return the monotonic time at which to call `decide` even if nothing is observed; None if never."""
        return self._work.next_wake()

    # --- one object ---

    def _entry(self, uid: str) -> TemplateEntry | WorkspaceEntry | None:
        return self._workspaces.get(uid) or self._templates.get(uid)

    def _decide_one(self, uid: str, now: Instant) -> WorkspaceDecision | None:
        if (workspace := self._workspaces.get(uid)) is not None:
            if workspace.workspace is None:
                return None
            return self._due(uid, workspace, self._plan_workspace(workspace.workspace, workspace, now), now)
        if (template := self._templates.get(uid)) is not None and template.template is not None:
            plan = self._plan_template(template.template, template, now)
            template.wanted = plan.wanted or template.wanted
            return self._due(uid, template, plan, now)
        return None

    def _plan_workspace(self, workspace: Workspace, entry: WorkspaceEntry, now: Instant) -> WorkspacePlan:
        template = self._templates.get(self._template_uids.get((workspace.namespace, workspace.template)))
        facts = BuildFacts(
            entry.builds,
            entry.floor,
            entry.searched,
            entry.checked,
            _refused_step(entry.backoff, now),
            self._unsaved.get((workspace.namespace, workspace.name)),
            entry.plan,
            self.checks_of(workspace.uid),
        )
        return plan_workspace(workspace, template.template if template is not None else None, facts, now)

    def _plan_template(self, template: Template, entry: TemplateEntry, now: Instant) -> TemplatePlan:
        place = (template.namespace, template.name)
        facts = TemplateFacts(
            reading=entry.reading,
            kept=frozenset(entry.kept),
            discarded=frozenset(entry.discarded),
            imports=entry.imports,
            listed=template.namespace in self._listed,
            workspaces=len(self._version_use.workspaces_of(place)),
            unreadable_workspaces=sum(each.namespace == template.namespace for each in self._unreadable.values()),
            versions_in_use=self._version_use.versions_of(place),
            digest=entry.source_digest(template),
            refused=_refused_step(entry.backoff, now),
        )
        return plan_template(template, facts, now)

    def _due(
        self, uid: str, entry: TemplateEntry | WorkspaceEntry, plan: WorkspacePlan | TemplatePlan, now: Instant
    ) -> WorkspaceDecision | None:
        """Return the decision, unless it is a status that has to wait, and requeue the object."""
        looks = [] if plan.requeue_after is None else [now.monotonic + plan.requeue_after]
        if entry.backoff is not None and entry.backoff.is_active(now.monotonic):
            looks.append(entry.backoff.until)
        decision: WorkspaceDecision | None = plan.decision
        if isinstance(decision, _STATUS) and (due := _status_due(entry, plan.delay, now)) > now.monotonic:
            looks.append(due)
            decision = None
        if decision is not None or plan.decision is None:
            entry.status_due = None
        self._work.add_after(uid, min(looks, default=None))
        return decision


def _status_due(entry: TemplateEntry | WorkspaceEntry, delay: float, now: Instant) -> float:
    """Return the time at which the status may be written: delayed while further changes are expected, or by a backoff."""
    if delay > 0 and entry.status_due is None:
        entry.status_due = now.monotonic + delay
    delayed = entry.status_due if delay > 0 and entry.status_due is not None else now.monotonic
    return max(delayed, entry.status_backoff.until if entry.status_backoff is not None else delayed)


def _refused_step(backoff: Backoff | None, now: Instant) -> RefusedStep | None:
    if backoff is None or backoff.refusal is None or not backoff.is_active(now.monotonic):
        return None
    return RefusedStep(backoff.kind, backoff.refusal.message, transient=backoff.refusal.transient)
