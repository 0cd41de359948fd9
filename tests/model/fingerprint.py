"""Canonical form of a world: two states with one fingerprint have the same future.

The walk reaches everything that a later step can depend on: the objects of the API server, all attributes of the
controllers and daemons with the product's reconcilers inside, and the pending actions with the variables that their
functions enclose. So the fingerprint forgets nothing by default, and an attribute that the product gains is included
without a change here. Left out, by name, is only what no decision reads (`_UNREAD`) and what judges or drives the world
(`_BESIDE`); what the invariants remember is a function of the rest as long as none is violated.

Two states that differ only in the following have the same future, and the same fingerprint:

- *Times*. Decisions depend on differences of times only, so each time is written as its distance from now. Clocks begin
  at values that no duration reaches, which is how a time is recognized: a number by its size, a timestamp by its form.
- *Versions, uids and process numbers*. They are compared for equality, versions also for order, but only with those of
  the same object. So each is replaced by its rank among those of the same object (or name) that occur in the state.
- *Order in sets and plain dictionaries*. It can decide only which of several decisions of one round is sent first, and
  requests that are sent in one round may overtake each other anyway. Queues (`deque`, `OrderedDict`, lists, heaps) keep
  their order.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from random import Random
from types import FunctionType, MethodType
from typing import Any

from model.identities import RANK, TIME, Atom, Identities, parts_of
from provisioner_operator.core.model.keyed_heap import KeyedHeap
from simulation.invariants import Invariants
from simulation.network import Network
from simulation.runs import Habits
from simulation.schedule import Schedule
from simulation.server import EPOCH, Server
from simulation.world import World

FIRST_VERSION = 1_000_000
"""Version at which a world's server begins, so that a version is recognized by its size."""
VERSIONS = range(FIRST_VERSION, 2_000_000)
CLOCKS = ((100_000.0, 200_000.0), (600_000.0, 700_000.0), (EPOCH, EPOCH + 1_000_000.0))
"""Ranges of virtual, monotonic and wall-clock time."""

_BESIDE = (World, Network, Server, Schedule, Random, Invariants, Habits)
"""The world's drivers and judges. The server's objects and the pending actions are walked as roots of their own."""
_UNREAD = {
    "ControllerFeed": {"known", "ended", "primed_at"},  # for the invariants; whether it listed shows in its watch
    "Watch": {"_told", "_latest"},  # for repeated and delayed events, which the model orders itself
    "SimulatedController": {"_alarm", "_woken"},  # for the loop; the alarm that counts is a pending action
    "DemandLanes": {"_reached", "_share_of"},  # ask the queue that holds them, which is walked itself
    "DaemonKinds": {"_changed", "_kinds", "_kind_of"},  # follow from the daemons, whenever they are read
}


class Walk:
    """One walk over a state, which collects atoms."""

    def __init__(self, identities: Identities, frozen: dict[int, tuple[object, list[Atom]]]) -> None:
        self.atoms: list[Atom] = []
        self._identities = identities
        self._frozen = frozen
        """Atoms of values that never change, with the value itself, which keeps its id taken."""
        self._visited: dict[int, int] = {}

    def visit(self, value: Any) -> None:
        handler = _HANDLERS.get(type(value))
        if handler is None:
            handler = _HANDLERS[type(value)] = _handler_of(type(value))
        handler(self, value)

    def digest(self, now: float) -> int:
        """Return a number of 64 bits that stands for the state at the time `now`; equal states have equal ones."""
        return hash(tuple(self.resolved(now)))

    def resolved(self, now: float) -> list[Atom]:
        """Return the atoms with ranks in place of identities and versions, and distances from now in place of times."""
        age = now - CLOCKS[0][0]
        ranks: dict[str, list[int]] = {}
        for atom in self.atoms:
            if type(atom) is tuple and atom[0] is RANK:
                found = ranks.setdefault(atom[1], [])
                if atom[2] not in found:
                    found.append(atom[2])
        for found in ranks.values():
            found.sort()
        return [
            atom
            if type(atom) is not tuple
            else (atom[1], ranks[atom[1]].index(atom[2]))
            if atom[0] is RANK
            else (TIME, round(atom[1] - age, 2))
            for atom in self.atoms
        ]

    # --- kinds of values ---

    def atom(self, value: Atom) -> None:
        self.atoms.append(value)

    def integer(self, value: int) -> None:
        self.atoms.append(self._identities.version(value) if value in VERSIONS else value)

    def real(self, value: float) -> None:
        for low, high in CLOCKS:
            if low <= value < high:
                self.atoms.append((TIME, value - low))
                return
        self.atoms.append(value)

    def text(self, value: str) -> None:
        parts = parts_of(value)
        if not parts:
            self.atoms.append(value)
        for kind, part in parts:
            match kind:
                case "time":
                    self.real(part)
                case "uid":
                    self.atoms.append(self._identities.uid(part))
                case "process":
                    self.atoms.append((RANK, *part))
                case "version":
                    self.atoms.append(self._identities.version(int(part)))
                case _:
                    self.atoms.append(part)

    def enum(self, value: Enum) -> None:
        self.atoms.append(value.value)

    def sequence(self, value: Iterable[Any]) -> None:
        self.atoms.append("[")
        for each in value:
            self.visit(each)
        self.atoms.append("]")

    def unordered(self, value: Iterable[Any]) -> None:
        self.sequence(sorted(value, key=self._sort_key))

    def mapping(self, value: Mapping[Any, Any]) -> None:
        self.atoms.append("{")
        for key in sorted(value, key=self._sort_key):
            self.visit(key)
            self.visit(value[key])
        self.atoms.append("}")

    def ordered(self, value: OrderedDict[Any, Any]) -> None:
        self.sequence(value.items())

    def heap(self, value: KeyedHeap[Any, Any]) -> None:
        current = value._current.values()  # noqa: SLF001 - stale entries of the heap mean nothing
        self.sequence((key, priority) for priority, _, key in sorted(current, key=lambda entry: entry[:2]))

    def dictionary(self, value: dict[Any, Any]) -> None:
        if "metadata" in value and "kind" in value:
            self._once(value, Walk.mapping)
        else:
            self.mapping(value)

    def record(self, value: Any) -> None:
        self._once(value, Walk.fields)

    def fields(self, value: Any) -> None:
        self.atoms.append(type(value).__name__)
        for each in fields(value):
            self.visit(getattr(value, each.name))

    def _once(self, value: Any, visit: Callable[["Walk", Any], None]) -> None:
        """Visit a value that never changes: a record, or an object of the server. Its constant atoms become one."""
        known = self._frozen.get(id(value))
        if known is None:
            walk = Walk(self._identities, self._frozen)
            visit(walk, value)
            constant = hash(tuple(each if type(each) is not tuple else each[0] for each in walk.atoms))
            atoms = [constant, *(each for each in walk.atoms if type(each) is tuple)]
            known = self._frozen[id(value)] = (value, atoms)
        self.atoms += known[1]

    def instance(self, value: Any) -> None:
        """Visit an object that may change, and that others may share."""
        known = self._visited.get(id(value))
        if known is not None:
            self.atoms.append(known)
            return
        self._visited[id(value)] = len(self._visited)
        atoms = self.atoms
        atoms.append(type(value).__name__)
        for name in _slots_of(type(value)):  # type: ignore[arg-type] # types are hashable
            self.visit(getattr(value, name, None))
        attributes = getattr(value, "__dict__", None)
        if attributes:
            for name in _sorted_names(type(value), tuple(attributes)):  # type: ignore[arg-type] # as above
                atoms.append(name)
                self.visit(attributes[name])

    def function(self, value: FunctionType) -> None:
        known = self._visited.get(id(value))
        if known is not None:
            self.atoms.append(known)
            return
        self._visited[id(value)] = len(self._visited)
        self.atoms.append(value.__qualname__)
        for cell in value.__closure__ or ():
            self.visit(cell.cell_contents)

    def method(self, value: MethodType) -> None:
        self.atoms.append(value.__func__.__qualname__)
        self.visit(value.__self__)

    def skip(self, _: object) -> None:
        """Leave out a driver or a judge of the world."""

    def _sort_key(self, value: Any) -> str:
        if type(value) is str and not parts_of(value):
            return value
        walk = Walk(self._identities, self._frozen)
        walk.visit(value)
        return repr(walk.atoms)


@cache
def _slots_of(kind: type) -> tuple[str, ...]:
    unread = _UNREAD.get(kind.__name__, set())
    return tuple(name for each in kind.__mro__ for name in getattr(each, "__slots__", ()) if name not in unread)


@cache
def _sorted_names(kind: type, attributes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(attributes) - _UNREAD.get(kind.__name__, set())))


Handler = Callable[[Walk, Any], None]
_HANDLERS: dict[type, Handler] = {
    type(None): Walk.atom,
    bool: Walk.atom,
    int: Walk.integer,
    float: Walk.real,
    str: Walk.text,
    list: Walk.sequence,
    tuple: Walk.sequence,
    deque: Walk.sequence,
    set: Walk.unordered,
    frozenset: Walk.unordered,
    dict: Walk.dictionary,
    OrderedDict: Walk.ordered,
    KeyedHeap: Walk.heap,
    FunctionType: Walk.function,
    MethodType: Walk.method,
}


_HANDLERS_OF_BASES: tuple[tuple[type | tuple[type, ...], Handler], ...] = (
    (Enum, Walk.enum),
    (_BESIDE, Walk.skip),
    (dict, Walk.mapping),
    (type, Walk.atom),
    (tuple, Walk.sequence),
)


def _handler_of(kind: type) -> Handler:
    for base, handler in _HANDLERS_OF_BASES:
        if issubclass(kind, base):
            return handler
    if is_dataclass(kind) and kind.__dataclass_params__.frozen:  # type: ignore[attr-defined] # not in typeshed
        return Walk.record
    return Walk.instance
