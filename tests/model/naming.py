"""Names of pending actions, for stories and for replays: who does what, from the functions that the simulator scheduled."""

from typing import Any

from model.open_schedule import Pending
from simulation.network import Network, Watch
from simulation.runs import Run

_LEADS_TO_OWNER = ("_controller", "_client", "_daemon")
"""Attributes that lead from a part of a process to the process."""


def process_of(pending: Pending) -> Any:
    """Return the controller or daemon that the action belongs to; None if it is the environment's."""
    found = getattr(pending.action, "__self__", None)
    if isinstance(found, Network):
        found = pending.arguments[0]
    while (leads := next((name for name in _LEADS_TO_OWNER if hasattr(found, name)), None)) is not None:
        found = getattr(found, leads)
    return found if hasattr(found, "alive") else None


def what_of(pending: Pending, names: dict[str, str]) -> str:
    """Describe the action without its process; `names` are those of objects by uid."""
    if is_request(pending):
        return f"request {_describe(pending.arguments[1], names)}"
    if is_answer(pending):
        result = getattr(pending.arguments[-2], "name", "?").lower()
        return f"answer {result} to {_describe(pending.arguments[1] if len(pending.arguments) == 4 else pending.action, names)}"
    if is_event(pending):
        return f"event {names.get(str(pending.arguments[0]), '?')}"
    return _describe(pending.action, names, pending.arguments)


def is_request(pending: Pending) -> bool:
    return getattr(pending.action, "__func__", None) is Network._arrive  # noqa: SLF001 - told apart by what they are


def is_answer(pending: Pending) -> bool:
    """Whether it is an answer; one that was lost on the way is scheduled without its network."""
    is_returned = getattr(pending.action, "__func__", None) is Network._return  # noqa: SLF001
    return is_returned or "answer" in getattr(pending.action, "__name__", "")


def is_event(pending: Pending) -> bool:
    return getattr(pending.action, "__func__", None) is Watch._deliver  # noqa: SLF001


def _describe(function: Any, names: dict[str, str], arguments: tuple[object, ...] = ()) -> str:
    encloses = _enclosed(function)
    decision = next(
        (
            each
            for each in (encloses.get("decision"), *arguments)
            if hasattr(each, "display_name") and hasattr(each, "subject")
        ),
        None,
    )
    if decision is not None:
        return f"{type(decision).__name__} of {decision.display_name}"
    about = [names.get(str(encloses["uid"]), "?")] if "uid" in encloses else []
    about += [each.job.name for each in (encloses.get("run"), *arguments) if isinstance(each, Run)]
    about += [names[each] for each in arguments if isinstance(each, str) and each in names]
    what = encloses.get("what") or function.__qualname__.partition(".<locals>")[0].rpartition(".")[2].strip("_")
    return " of ".join([str(what), *about[:1]])


def _enclosed(function: Any) -> dict[str, Any]:
    """Return the variables that a function encloses, by name."""
    cells = getattr(function, "__closure__", None) or ()
    return {
        name: cell.cell_contents
        for name, cell in zip(function.__code__.co_freevars if cells else (), cells, strict=True)
    }
