"""Explain the failure of a Terraform stage: what failed, where, and what to do next. Pure; used by `provisioner`."""

import re
from collections.abc import Sequence

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.daemon.execution.guard import CANNOT_EXECUTE, SIGNALED
from provisioner_operator.daemon.execution.provisioner import Failure
from provisioner_operator.daemon.terraform.output import Diagnostic
from provisioner_operator.daemon.terraform.state import BACKEND_SETTINGS_FILE, explain_lock, lock_holder

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


def explain_failure(
    stage: str, code: int, errors: Sequence[Diagnostic], *, namespace: str, workspace: str | None
) -> Failure:
    """Return the failure of a stage that exited with this code."""
    for error in errors:
        holder = lock_holder(error.summary, error.detail)
        if holder is not None and workspace is not None:
            return Failure(EndReason.STATE_LOCKED, explain_lock(holder, namespace=namespace, workspace=workspace))
    if any(error.file == BACKEND_SETTINGS_FILE for error in errors):
        return Failure(EndReason.RUN_FAILED, BACKEND_OVERRIDDEN)
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
            "Its state may still be locked; the next job of this workspace reports a lock that is left."
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
