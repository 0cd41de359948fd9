"""Collect the changes that a plan lists, the most destructive first, and put them into words. Pure; used by the daemon."""

from collections import Counter

from provisioner_operator.api.v1alpha1.enums import Transition
from provisioner_operator.api.v1alpha1.limits import MOST_RESOURCES
from provisioner_operator.core.jobs.ordering import natural
from provisioner_operator.core.jobs.outcome import ResourceChange

MOST_NAMED = 10
"""Most resources that the words name; the status lists more, the log all."""
_WORDS = {"delete": "destroy", "replace": "replace", "update": "change", "create": "create"}
"""Words of the actions that change resources, the most destructive first; others have Terraform's own word."""
_UNCHANGED = frozenset({"no-op", "read"})
NOTHING_DONE = "Nothing was changed."


class PlannedChanges:
    """The changes of one plan. Bounded: of each action, as many are kept as a status has room for; all are counted."""

    def __init__(self) -> None:
        self._kept: dict[str, list[ResourceChange]] = {word: [] for word in _WORDS}
        self._counts: Counter[str] = Counter()

    def note(self, change: ResourceChange) -> None:
        """Add a change; what leaves the resource as it is counts as none."""
        if change.action in _UNCHANGED:
            return
        self._counts[change.action] += 1
        kept = self._kept.setdefault(change.action, [])
        if len(kept) < MOST_RESOURCES:
            kept.append(change)

    @property
    def resources(self) -> tuple[ResourceChange, ...]:
        """The changes for which a status has room, the most destructive first, and of one action by their addresses."""
        # Terraform lists them as they are ready, each time in another order.
        ordered = (sorted(kept, key=lambda each: natural(each.address)) for kept in self._kept.values())
        return tuple(change for changes in ordered for change in changes)[:MOST_RESOURCES]

    def summary(self, transition: Transition) -> str:
        """Return the plan in words, as that of a build with this transition."""
        total = self._counts.total()
        build = f"A {transition.lower()}"
        if total == 0:
            return f"{build} would change no resource. {NOTHING_DONE}"
        counts = ", ".join(
            f"{self._counts[action]} to {_WORDS.get(action, action)}" for action in self._kept if self._counts[action]
        )
        named = [f"{_WORDS.get(each.action, each.action)} {each.address}" for each in self.resources[:MOST_NAMED]]
        more = [f"and {total - len(named)} more"] if total > len(named) else []
        resources = "1 resource" if total == 1 else f"{total} resources"
        return f"{build} would change {resources} ({counts}): {', '.join([*named, *more])}. {NOTHING_DONE}"
