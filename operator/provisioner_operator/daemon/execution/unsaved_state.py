"""Record whose state a run's directory holds, so that one that could not be saved can still be saved later.

The record is written before Terraform runs, and stays beside `errored.tfstate` in the directory: a later process of the daemon
finds both. Nothing in it is secret.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from provisioner_operator.daemon.execution.guard import RUN_RECORD, UNSAVED_STATE


@dataclass(frozen=True, slots=True)
class StateVersion:
    """One version of a state: the serial counts the versions of a lineage."""

    lineage: str
    serial: int


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run that keeps a workspace's state."""

    namespace: str
    workspace: str
    job: str
    job_uid: str
    binary: str
    """The Terraform program that wrote the state."""
    folder: str
    """The folder in which Terraform ran, relative to the run's directory."""
    started: float
    base: StateVersion | None = None
    """The version that the run's plan started from; None if it is not known."""
    in_cluster: bool = True
    """Whether the state belongs into the product's own backend, and not into one of the template."""


_RECORDS = TypeAdapter(RunRecord)


@dataclass(frozen=True, slots=True)
class UnsavedState:
    """A state that Terraform left in a file because it could not save it."""

    run: RunRecord
    file: Path
    directory: Path
    """The run's directory, which goes once the state is safe elsewhere."""

    @property
    def since(self) -> float:
        """The time at which Terraform wrote it, by the machine's clock."""
        return self.file.stat().st_mtime


def record_as_json(record: RunRecord) -> bytes:
    """Return the record as it is stored."""
    return _RECORDS.dump_json(record)


def record_from_json(content: bytes) -> RunRecord:
    """Parse a stored record. Raises pydantic.ValidationError."""
    return _RECORDS.validate_json(content)


def write_record(directory: Path, record: RunRecord) -> None:
    """Store the record in the run's directory."""
    path = directory / RUN_RECORD
    # Unlinked first: a source's file of that name may be a link to another of its files.
    path.unlink(missing_ok=True)
    path.write_bytes(record_as_json(record))


def find_unsaved_state(directory: Path) -> UnsavedState | None:
    """Return the state that the run of this directory could not save; None if it has none, or no record of its own."""
    try:
        record = record_from_json((directory / RUN_RECORD).read_bytes())
    except (OSError, ValidationError):
        return None
    file = directory / record.folder / UNSAVED_STATE
    # Whatever the record says: no file elsewhere is taken for a state.
    if file.is_symlink() or not file.is_file() or not file.resolve().is_relative_to(directory.resolve()):
        return None
    return UnsavedState(record, file, directory)


def with_evidence(state: UnsavedState, base: StateVersion | None, *, in_cluster: bool) -> UnsavedState:
    """Store also what only the run's other files show, which are removed."""
    record = replace(state.run, base=base, in_cluster=in_cluster)
    write_record(state.directory, record)
    return replace(state, run=record)
