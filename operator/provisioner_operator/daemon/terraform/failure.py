"""Explain the failure of a Terraform stage: what failed, where, and what to do next. Pure; used by `provisioner`."""

import re
from collections.abc import Sequence

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.daemon.execution.guard import CANNOT_EXECUTE, SIGNALED
from provisioner_operator.daemon.execution.provisioner import Failure
from provisioner_operator.daemon.terraform.output import Diagnostic
from provisioner_operator.daemon.terraform.state import BACKEND_SETTINGS_FILE, explain_lock, lock_holder
from provisioner_operator.daemon.terraform.template_backend import explain_lock_of_backend

LONGEST_DETAIL = 2000
"""Characters of an error's detail in a message; the log has all of it."""

_UNAUTHENTICATED = re.compile(
    r"could not read (Username|Password)|Authentication failed for|\b40[13] (Unauthorized|Forbidden)|response code:? 40[13]\b"
)
"""The words of git, of registries and of downloads."""
_LOG_IN = " If it needs a login, name its host and a Secret in spec.moduleCredentials."

BACKEND_OVERRIDDEN = (
    "The template overrides the backend of its state, so the state would be lost. "
    "Remove the backend or cloud block from its *_override files."
)

_STALE = frozenset({"Saved plan is stale", "Saved plan does not match the given state"})
"""Terraform's words for a plan whose state is another by now."""
PLAN_STALE = "The plan was not applied: the state of the workspace has changed since it was made, so it would not do what it shows."

BACKEND_SETTINGS = (
    "The backend that the files name does not take spec.state.backendConfig: correct a setting, or the block. "
)


def explain_failure(
    stage: str,
    code: int,
    errors: Sequence[Diagnostic],
    *,
    namespace: str,
    workspace: str | None,
    in_own_backend: bool = False,
) -> Failure:
    """Return the failure of a stage that exited with this code; `in_own_backend`: the files name the place of the state."""
    for error in errors:
        holder = lock_holder(error.summary, error.detail)
        if holder is not None and workspace is not None:
            explain = explain_lock_of_backend if in_own_backend else explain_lock
            return Failure(EndReason.STATE_LOCKED, explain(holder, namespace=namespace, workspace=workspace))
    if any(error.summary in _STALE for error in errors):
        return Failure(EndReason.PLAN_STALE, PLAN_STALE)
    if of_settings := [error for error in errors if error.file == BACKEND_SETTINGS_FILE]:
        message = f"{BACKEND_SETTINGS}{_describe(of_settings[0])}" if in_own_backend else BACKEND_OVERRIDDEN
        return Failure(EndReason.RUN_FAILED, message)
    if errors:
        hint = _LOG_IN if stage == "init" and _UNAUTHENTICATED.search(errors[0].detail) else ""
        return Failure(EndReason.RUN_FAILED, f"Stage {stage} failed. {_describe(errors[0])}{_more(errors)}{hint}")
    if code == CANNOT_EXECUTE:
        message = (
            f"Stage {stage} could not be started: the program cannot be executed on the daemon. Check --terraform."
        )
    elif code > SIGNALED:
        message = (
            f"Stage {stage} was killed by signal {code - SIGNALED}, not by the daemon: perhaps by a memory limit. "
            "Its state may lack the last changes; the next plan shows what differs."
        )
    else:
        message = f"Stage {stage} exited with code {code} and reported no error. Read the last lines of its log."
    return Failure(EndReason.RUN_FAILED, message)


def _describe(error: Diagnostic) -> str:
    where = f" at {error.where}" if error.where else ""
    detail = " ".join(error.detail.split())
    if len(detail) > LONGEST_DETAIL:
        detail = detail[:LONGEST_DETAIL] + "…"
    return f"{error.summary}{where}: {detail}" if detail else f"{error.summary}{where}."


def _more(errors: Sequence[Diagnostic]) -> str:
    return f" ({len(errors) - 1} more in the log)" if len(errors) > 1 else ""
