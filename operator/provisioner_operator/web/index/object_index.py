"""The objects of one kind, by uid and by name."""

from collections.abc import Collection, Iterator, Mapping

from provisioner_operator.core.jobs.ordering import natural
from provisioner_operator.web.index.rows import ObjectRow


class ObjectIndex:
    """Daemons, pools, workspaces, templates or namespaces."""

    def __init__(self) -> None:
        self._rows: dict[str, ObjectRow] = {}
        self._names: dict[str, dict[str, str]] = {}
        """Uids by namespace and name."""

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[ObjectRow]:
        return iter(self._rows.values())

    def get(self, uid: str) -> ObjectRow | None:
        """Return the object of this uid."""
        return self._rows.get(uid)

    def named(self, namespace: str, name: str) -> ObjectRow | None:
        """Return the object of this name."""
        return self._rows.get(self._names.get(namespace, {}).get(name, ""))

    def of(self, namespaces: Collection[str]) -> list[ObjectRow]:
        """Return the objects of these namespaces by name, and those of equal names by namespace."""
        found = (self._rows[uid] for namespace in namespaces for uid in self._names.get(namespace, {}).values())
        return sorted(found, key=lambda row: (natural(row.name), row.namespace))

    def count(self, namespace: str) -> int:
        """Return the number of objects of a namespace."""
        return len(self._names.get(namespace, {}))

    def put(self, row: ObjectRow) -> None:
        """Add an object, or replace its former version."""
        self._rows[row.uid] = row
        self._names.setdefault(row.namespace, {})[row.name] = row.uid

    def remove(self, uid: str) -> ObjectRow | None:
        """Remove an object, and return it."""
        row = self._rows.pop(uid, None)
        # Another object that had its name last may have taken the whole namespace with it.
        if row is not None and (names := self._names.get(row.namespace, {})).get(row.name) == uid:
            del names[row.name]
            if not names:
                del self._names[row.namespace]
        return row

    def version(self, uid: str) -> int:
        """Return the object's resource version; 0 if it is unknown."""
        row = self._rows.get(uid)
        return 0 if row is None else row.resource_version

    def versions(self, namespace: str | None = None) -> Mapping[str, int]:
        """Return the objects' resource versions by uid, of one namespace or of all."""
        rows = self._rows.values()
        return {row.uid: row.resource_version for row in rows if namespace in (None, row.namespace)}
