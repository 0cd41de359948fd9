"""Find the states that runs could not save, and note what only the run's other files show. Used at a run's end, and at the start."""

from collections.abc import Sequence
from pathlib import Path

from provisioner_operator.daemon.execution.guard import open_folders
from provisioner_operator.daemon.execution.unsaved_state import UnsavedState, find_unsaved_state, with_evidence
from provisioner_operator.daemon.execution.workdir import run_directories
from provisioner_operator.daemon.saving.precedence import version_planned_from
from provisioner_operator.daemon.terraform import state
from provisioner_operator.daemon.terraform.kept_plan import PLAN_FILE


def gather_evidence(directory: Path) -> UnsavedState | None:
    """Return the state that the run of this directory could not save, with what its record needs; None if there is none."""
    open_folders(directory)
    unsaved = find_unsaved_state(directory)
    if unsaved is None:
        return None
    module = unsaved.file.parent
    if not (module / ".terraform").is_dir():
        return unsaved  # only the state is left, and its record is complete
    in_cluster = state.is_stored_under(module, namespace=unsaved.run.namespace, workspace=unsaved.run.workspace)
    return with_evidence(unsaved, version_planned_from(module / PLAN_FILE), in_cluster=in_cluster)


def unsaved_states_in(parent: Path, prefix: str) -> Sequence[UnsavedState]:
    """Return the states that runs of a former process could not save; called before their directories are swept."""
    return [found for path in run_directories(parent, prefix) if (found := gather_evidence(path)) is not None]
