"""The rows of all jobs by slot, a small number that stands for the job everywhere in the index; by uid and by name.

Rows of unfinished jobs are kept as they are, since the queue needs their records; those of ended jobs are packed.
"""

from array import array
from collections.abc import Iterator

from provisioner_operator.web.index.packed_rows import RowPacker, name_of
from provisioner_operator.web.index.rows import JobRow
from provisioner_operator.web.index.slot_table import SlotTable
from provisioner_operator.web.index.uid_column import UidColumn

_Stored = JobRow | bytes | None


class RowStore:
    """Rows by slot."""

    def __init__(self) -> None:
        self._packer = RowPacker()
        self._rows: list[_Stored] = []
        self._free: list[int] = []
        self._uids = UidColumn()
        self._slots: SlotTable[str] = SlotTable(self._uids.get)
        self._names: SlotTable[tuple[str, str]] = SlotTable(self._full_name)
        self.created = array("d")
        """Times of creation by slot."""
        self.versions = array("Q")
        """Resource versions by slot."""

    def __len__(self) -> int:
        return len(self._rows) - len(self._free)

    def slots(self) -> Iterator[int]:
        """Yield the slots that have a row."""
        return (slot for slot, stored in enumerate(self._rows) if stored is not None)

    def row(self, slot: int) -> JobRow:
        """Return the row of a slot that has one."""
        stored = self._rows[slot]
        if isinstance(stored, JobRow):
            return stored
        return self._packer.unpack(_present(stored, slot), self.uid(slot))

    def uid(self, slot: int) -> str:
        """Return the job's uid."""
        return self._uids.get(slot)

    def order(self, slot: int) -> tuple[float, str]:
        """Return the key by which jobs are sorted: time of creation, and uid within a second."""
        return self.created[slot], self.uid(slot)

    def name(self, slot: int) -> str:
        """Return the job's name; an empty one for a slot without a row."""
        stored = self._rows[slot] if slot < len(self._rows) else None
        if stored is None:
            return ""
        return stored.job.name if isinstance(stored, JobRow) else name_of(stored)

    def with_uid(self, word: str) -> list[int]:
        """Return the slots of the jobs that have this word in their uid."""
        return [slot for slot in self._uids.containing(word) if self._rows[slot] is not None]

    def find(self, uid: str) -> int | None:
        """Return the slot of the job of this uid."""
        return self._slots.find(uid)

    def find_named(self, namespace: str, name: str) -> int | None:
        """Return the slot of the job of this name."""
        return self._names.find((namespace, name))

    def add(self, row: JobRow) -> int:
        """Store a row, and return its slot."""
        job = row.job
        if self._free:
            slot = self._free.pop()
            self._rows[slot] = self._stored(row)
            self.created[slot] = job.created
            self.versions[slot] = job.resource_version
        else:
            slot = len(self._rows)
            self._rows.append(self._stored(row))
            self.created.append(job.created)
            self.versions.append(job.resource_version)
        self._uids.put(slot, job.uid)
        self._slots.add(job.uid, slot)
        self._names.add((job.namespace, job.name), slot)
        return slot

    def replace(self, slot: int, row: JobRow) -> None:
        """Store a later version of a row."""
        self._release(slot)
        self._rows[slot] = self._stored(row)
        self.versions[slot] = row.job.resource_version

    def remove(self, slot: int, row: JobRow) -> None:
        """Drop a row."""
        self._slots.remove(row.job.uid, slot)
        self._names.remove((row.job.namespace, row.job.name), slot)
        self._release(slot)
        self._rows[slot] = None
        self._free.append(slot)

    def _stored(self, row: JobRow) -> JobRow | bytes:
        return self._packer.pack(row) if row.is_ended else row

    def _release(self, slot: int) -> None:
        stored = self._rows[slot]
        if isinstance(stored, bytes):
            self._packer.release(stored)

    def _full_name(self, slot: int) -> tuple[str, str]:
        job = self.row(slot).job
        return job.namespace, job.name


def _present(stored: bytes | None, slot: int) -> bytes:
    if stored is None:
        raise LookupError(f"no job has the slot {slot}")
    return stored
