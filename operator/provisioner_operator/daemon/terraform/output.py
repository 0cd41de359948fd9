"""Read the output of Terraform and OpenTofu with `-json`: one JSON object a line.

Pure; used by `provisioner`. Understands the machine-readable UI (`type`: version, planned_change, apply_complete,
outputs, diagnostic, …) of `init`, `plan` and `apply`, and the single document of `validate`. A line that is not JSON is
shown as it is.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provisioner_operator.api.v1alpha1.limits import LONGEST_ADDRESS, LONGEST_TYPE, MOST_RESOURCES
from provisioner_operator.core.jobs.outcome import Output, ResourceChange
from provisioner_operator.core.jobs.planned_changes import PlannedChanges
from provisioner_operator.daemon.execution.outputs import Outputs
from provisioner_operator.daemon.inputs.variables import LONGEST_VARIABLE

LONGEST_KEPT_ADDRESS = LONGEST_ADDRESS + LONGEST_VARIABLE
"""Characters of an address that are kept until its secrets are masked: more than the status shows, so that none is halved."""

_SPOKEN = {
    "create": "create",
    "update": "update",
    "delete": "delete",
    "replace": "replace",
    "read": "read",
    "noop": "no-op",
}
_SILENT = frozenset({"version", "outputs", "refresh_start", "refresh_complete", "planned_change_noop"})
"""Types of lines whose text would be noise in a log."""
_WAITING = frozenset({"apply_progress", "ephemeral_op_progress"})
"""Types of lines that Terraform repeats every ten seconds while it waits ("Still creating..."), also for what hangs."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """An error or a warning."""

    severity: str
    summary: str
    detail: str = ""
    address: str = ""
    file: str = ""
    line: int = 0

    @property
    def is_error(self) -> bool:
        """True if it made the stage fail."""
        return self.severity == "error"

    @property
    def where(self) -> str:
        """The address and the place in a file, for people; empty if there is neither."""
        place = f"{self.file}:{self.line}" if self.file and self.line else self.file
        return ", ".join(part for part in (self.address, place) if part)

    def lines(self) -> tuple[str, ...]:
        """Return the lines of the diagnostic in a log."""
        where = f" ({self.where})" if self.where else ""
        return (f"{self.severity.capitalize()}: {self.summary}{where}", *self.detail.splitlines())


class OutputReader:
    """Collects resources, outputs and diagnostics from a run's lines."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []
        self.plan = PlannedChanges()
        """The planned changes, the most destructive first, whatever was applied of them."""
        self._planned: dict[str, ResourceChange] = {}
        self._applied: dict[str, ResourceChange] = {}
        self._outputs = Outputs()
        self._overflowed = False
        self.is_tofu = False
        """True once OpenTofu, and not Terraform, has said its version."""

    @property
    def outputs(self) -> Sequence[Output]:
        """Output values that are not sensitive."""
        return self._outputs.recorded

    @property
    def resources(self) -> Sequence[ResourceChange]:
        """The changes made; before anything was applied, the planned changes."""
        return tuple((self._applied or self._planned).values())[:MOST_RESOURCES]

    @property
    def errors(self) -> Sequence[Diagnostic]:
        """The errors so far, each once."""
        return tuple(dict.fromkeys(each for each in self.diagnostics if each.is_error))

    def begin_stage(self) -> None:
        """Forget the diagnostics of the stage before."""
        self.diagnostics.clear()

    def read(self, line: str) -> Sequence[str] | None:
        """Interpret a line and return the lines that a log shows for it; None if it is blank or only says that the run still waits."""
        entry = _object(line)
        if entry is None or "@message" not in entry:
            return (line,) if line.strip() else None
        kind = str(entry.get("type", ""))
        notices: tuple[str, ...] = ()
        match kind:
            case "diagnostic":
                diagnostic = _diagnostic(_mapping(entry, "diagnostic"))
                self.diagnostics.append(diagnostic)
                return diagnostic.lines()
            case "version":
                self.is_tofu = "tofu" in entry
            case "planned_change":
                notices = self._note(self._planned, _mapping(entry, "change"))
            case "apply_complete":
                notices = self._note(self._applied, _mapping(entry, "hook"))
            case "outputs":
                return self._note_outputs(_mapping(entry, "outputs"))
            case _:
                pass
        if kind in _WAITING:
            return None
        shown = () if kind in _SILENT else tuple(part for part in str(entry["@message"]).splitlines() if part.strip())
        return (*shown, *notices)

    def read_validation(self, document: str) -> Sequence[str]:
        """Interpret the document that `validate -json` writes and return the lines that a log shows for it."""
        entry = _object(document)
        if entry is None:
            return document.splitlines()
        found = [_diagnostic(each) for each in entry.get("diagnostics", []) if isinstance(each, dict)]
        self.diagnostics.extend(found)
        verdict = "The configuration is valid." if entry.get("valid") else "The configuration is not valid."
        return (*(line for each in found for line in each.lines()), verdict)

    def _note(self, table: dict[str, ResourceChange], change: Mapping[str, Any]) -> tuple[str, ...]:
        resource = _mapping(change, "resource")
        address = str(resource.get("addr", ""))[:LONGEST_KEPT_ADDRESS]
        action = str(change.get("action", ""))
        if table is self._applied and address in table:
            action = "replace"  # shown as a deletion and a creation
        action = _SPOKEN.get(action, action)[:32]
        if not address:
            return ()
        found = ResourceChange(address, str(resource.get("resource_type", ""))[:LONGEST_TYPE], action)
        if table is self._planned:
            self.plan.note(found)
        if address in table or len(table) < MOST_RESOURCES:
            table[address] = found
            return ()
        is_first = not self._overflowed
        self._overflowed = True
        return (
            (f"The job's status has room for {MOST_RESOURCES} resources; further ones are only here.",)
            if is_first
            else ()
        )

    def _note_outputs(self, outputs: Mapping[str, Any]) -> Sequence[str]:
        # A plan lists the outputs without values, an apply with them.
        return self._outputs.note(
            {
                name: output["value"]
                for name, output in outputs.items()
                if isinstance(output, dict) and not output.get("sensitive") and "value" in output
            }
        )


def _object(text: str) -> dict[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def _mapping(entry: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = entry.get(key)
    return value if isinstance(value, dict) else {}


def _diagnostic(entry: Mapping[str, Any]) -> Diagnostic:
    place = _mapping(entry, "range")
    line = _mapping(place, "start").get("line", 0)
    return Diagnostic(
        severity=str(entry.get("severity", "error")),
        summary=str(entry.get("summary", "")).strip(),
        detail=str(entry.get("detail", "")).strip(),
        address=str(entry.get("address", "")),
        file=str(place.get("filename", "")),
        line=line if isinstance(line, int) else 0,
    )
