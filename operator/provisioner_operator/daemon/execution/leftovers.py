"""Recognize files that an earlier run of Terraform left in a source. Pure; used where a source's files are written.

They belong to another run, and would change this one: `init` moves a local state into the backend, `.terraform` selects another
workspace, and a state that could not be saved would count as one of this run.
"""

from provisioner_operator.daemon.execution.guard import UNSAVED_STATE

_STATE = "terraform.tfstate"
"""Also begins the names of its copies, locks, and of the states of further workspaces."""
_FOLDER = ".terraform"


def is_leftover(name: str) -> bool:
    """Return whether a file or folder of this name, or one that is in such a folder, is left out of a source."""
    return any(step in {UNSAVED_STATE, _FOLDER} or step.startswith(_STATE) for step in name.split("/"))


def explain_leftover(name: str) -> str:
    """Return the line of the log."""
    if name.rpartition("/")[2] == UNSAVED_STATE:
        return f"{name} is left out: the name is reserved for a state that a run could not save"
    return f"{name} is left out: an earlier run of Terraform left it behind, and it would change this one"
