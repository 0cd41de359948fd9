"""Index the workspaces by template, and count the versions in use, so that planning a template does not visit all of them.

Kept up to date by the workspace cache.
"""

from collections import Counter
from collections.abc import KeysView
from collections.abc import Set as AbstractSet

from provisioner_operator.core.scheduling.workspace_queue import NamespacedName


class VersionUse:
    """Workspaces, and versions in use, by the namespace and name of their template."""

    def __init__(self) -> None:
        self._uses: dict[str, tuple[NamespacedName, frozenset[str]]] = {}
        """Template and versions of each workspace, by its uid."""
        self._workspaces: dict[NamespacedName, dict[str, None]] = {}
        """Workspaces in the order of their arrival, in which they are reconciled."""
        self._counts: dict[NamespacedName, Counter[str]] = {}

    def record(self, uid: str, template: NamespacedName, versions: AbstractSet[str]) -> bool:
        """Record the versions that the workspace uses; return False if nothing changed."""
        use = (template, frozenset(versions))
        if self._uses.get(uid) == use:
            return False
        self.remove(uid)
        self._uses[uid] = use
        self._workspaces.setdefault(template, {})[uid] = None
        if versions:
            self._counts.setdefault(template, Counter()).update(versions)
        return True

    def remove(self, uid: str) -> None:
        """Remove a workspace that is gone."""
        template, versions = self._uses.pop(uid, (None, frozenset()))
        if template is None:
            return
        workspaces = self._workspaces[template]
        del workspaces[uid]
        if not workspaces:
            del self._workspaces[template]
        if not versions:
            return
        counts = self._counts[template]
        counts.subtract(versions)
        for version in versions:
            if not counts[version]:
                del counts[version]
        if not counts:
            del self._counts[template]

    def workspaces_of(self, template: NamespacedName) -> KeysView[str]:
        """Return the uids of the template's workspaces, in the order of their arrival."""
        return self._workspaces.get(template, {}).keys()

    def versions_of(self, template: NamespacedName) -> frozenset[str]:
        """Return the versions of the template that workspaces use."""
        return frozenset(self._counts.get(template, ()))
