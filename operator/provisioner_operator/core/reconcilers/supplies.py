"""Keep the ProvisionerSupply of each namespace: decide when its content is compared and written.

Compares with the object as last observed, so a restart or a change of the leader writes nothing. Reads daemons, pools and templates
from the other reconcilers when those of a namespace may have changed. Decides nothing unless the operator is asked for it.
"""

from collections.abc import Iterator, Mapping
from functools import cache

from provisioner_operator.api.v1alpha1.enums import Provisioner
from provisioner_operator.core.model.backoff import Refusal
from provisioner_operator.core.model.gone_objects import GoneObjects
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.work_queue import WorkQueue
from provisioner_operator.core.reconcilers.job_cache import JobCache
from provisioner_operator.core.reconcilers.workspace_cache import WorkspaceCache
from provisioner_operator.core.scheduling.explanation_timing import SETTLE_SECONDS
from provisioner_operator.core.scheduling.supplies import (
    OfferedSupply,
    SupplyRecord,
    TemplateDemand,
    WriteSupply,
    daemon_offer,
    pool_offer,
    summarize,
)
from provisioner_operator.core.workspaces.records import Template

SUPPLY_SECONDS = 5.0
"""Shortest time between two looks at a namespace, and so between two writes."""


class SupplyReconciler:
    """Brings each namespace's ProvisionerSupply up to date."""

    def __init__(self, jobs: JobCache, workspaces: WorkspaceCache, *, is_on: bool) -> None:
        self.is_on = is_on
        self._jobs = jobs
        self._workspaces = workspaces
        self._records: dict[str, SupplyRecord] = {}
        """Objects by uid."""
        self._current: dict[str, str] = {}
        """Uid of the object, by namespace."""
        self._gone = GoneObjects()
        self._work: WorkQueue[str] = WorkQueue()
        """Namespaces."""
        self._planned: set[str] = set()
        """Namespaces with a look ahead: more changes do not put it off."""
        self._looked_at: dict[str, float] = {}

    # --- what was observed ---

    def observe_supply(self, record: SupplyRecord, now: Instant) -> bool:
        """Observe a ProvisionerSupply; return False if this or a later version of it is known."""
        known = self._records.get(record.uid)
        is_old = known is not None and record.resource_version <= known.resource_version
        if is_old or self._gone.covers(record.uid, record.resource_version):
            return False
        self._records[record.uid] = record
        self._current[record.namespace] = record.uid
        self._plan(record.namespace, now)
        return True

    def supply_deleted(self, uid: str, now: Instant) -> None:
        """Remove a ProvisionerSupply whose object is gone."""
        self._gone.add(uid)
        record = self._records.pop(uid, None)
        if record is not None and self._current.get(record.namespace) == uid:
            del self._current[record.namespace]
            self._plan(record.namespace, now)

    def supplies(self) -> Iterator[SupplyRecord]:
        """Iterate over all ProvisionerSupplies, as last observed."""
        return iter(self._records.values())

    def template_changed(self, template: Template, now: Instant) -> None:
        """Have the demands of a namespace looked at, of which a template was added, removed or changed."""
        if self.is_on:
            self._plan(template.namespace, now)

    # --- the outcome of decisions ---

    def accepted(self, decision: WriteSupply) -> None:
        """Record that the write succeeded, and reset the backoff."""
        self._work.forget(decision.namespace)

    def refused(self, decision: WriteSupply, refusal: Refusal, now: Instant) -> bool:
        """Record that the API server refused the write, and back off; return whether to report it."""
        return self._work.back_off(decision.namespace, type(decision).__name__, refusal, now.monotonic)

    def settled(self, decision: WriteSupply, now: Instant) -> None:
        """End a decision, whatever its outcome; the next look compares again."""
        self._work.done(decision.namespace)
        self._plan(decision.namespace, now)

    # --- the loop ---

    def decide(self, now: Instant) -> Iterator[WriteSupply]:
        """Yield the writes that are due; each is under way until it is `settled`."""
        changed, self._jobs.changed_fleets = self._jobs.changed_fleets, set()
        if not self.is_on:
            return
        for each in changed:
            self._plan(each, now)
        templates = cache(self._templates)  # of this round
        while (namespace := self._work.pop(now.monotonic)) is not None:
            self._planned.discard(namespace)
            self._looked_at[namespace] = now.monotonic
            if (decision := self._decide_one(namespace, templates().get(namespace, {}))) is not None:
                self._work.begin(namespace)
                yield decision

    def next_wake(self) -> float | None:
        """Return the monotonic time at which to call `decide` even if nothing is observed; None if never."""
        return self._work.next_wake() if self.is_on else None

    # --- inside ---

    def _plan(self, namespace: str, now: Instant) -> None:
        if namespace in self._planned:
            return
        self._planned.add(namespace)
        after = self._looked_at.get(namespace, float("-inf")) + SUPPLY_SECONDS
        self._work.add_after(namespace, max(now.monotonic + SETTLE_SECONDS, after))

    def _decide_one(self, namespace: str, templates: Mapping[str, TemplateDemand]) -> WriteSupply | None:
        known = self._records.get(self._current.get(namespace, ""))
        content = summarize(self._offers(namespace), templates, None if known is None else known.content)
        # Nothing is created for a namespace that never had anything, or that is being deleted.
        if content.is_empty if known is None else known.says(content):
            self._work.forget(namespace)  # a write that was refused is not due any more
            return None
        return WriteSupply(namespace, known, content)

    def _offers(self, namespace: str) -> Iterator[OfferedSupply]:
        for growth in self._jobs.growths(namespace):
            # Also one without room: its daemons are there, or about to be.
            if growth.trouble is None:
                yield pool_offer(growth.pool, growth.supply)
        for daemon in self._jobs.open_daemons(namespace):
            yield daemon_offer(daemon.name, daemon.supply)

    def _templates(self) -> dict[str, dict[str, TemplateDemand]]:
        found: dict[str, dict[str, TemplateDemand]] = {}
        for each in self._workspaces.templates():
            found.setdefault(each.namespace, {})[each.name] = TemplateDemand(_provisioner(each), each.tags)
        return found


def _provisioner(template: Template) -> Provisioner:
    """Return the program that a new workspace needs: that of the active version, if there is one."""
    version = template.status.version(template.status.active_version)
    return template.provisioner if version is None else version.provisioner
