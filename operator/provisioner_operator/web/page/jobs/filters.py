"""Filters of the list of jobs, as the address of the page has them. Pure.

All of them are parameters of one GET form, so that a list can be bookmarked, shared and reached without script.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.model.matching import OWNER, SCOPE
from provisioner_operator.web.index.query import Cursor, JobQuery
from provisioner_operator.web.page.words import JOB_TYPES, PHASES
from provisioner_operator.web.words import TYPE_OF

STUCK = "stuck"
"""Value of `status` for jobs that make no progress until somebody intervenes."""
STATUSES = {phase.lower(): phase for phase in Phase}
SINCE = {"15m": ("15 minutes", 900), "1h": ("hour", 3600), "24h": ("24 hours", 86_400), "7d": ("7 days", 604_800)}
SIZES = (25, 50, 100)
DEFAULT_SIZE = 50
LONGEST_VALUE = 256
"""Characters of one value: longer ones match nothing that the API stores."""
_MOST_TAGS = 8


@dataclass(frozen=True, slots=True)
class JobFilter:
    """The parameters of the page's address; empty ones do not filter."""

    statuses: tuple[str, ...] = ()
    text: str = ""
    type: str = ""
    template: str = ""
    workspace: str = ""
    daemon: str = ""
    tags: tuple[str, ...] = ()
    initiator: str = ""
    since: str = ""
    size: int = DEFAULT_SIZE
    before: str = ""
    """Place after which the page begins, as `CREATED_UID`."""
    ignored: tuple[str, ...] = ()
    """Parameters that mean nothing here."""

    @property
    def is_filtered(self) -> bool:
        """Whether it selects some of the jobs only."""
        return replace(self, size=DEFAULT_SIZE, before="", ignored=()) != JobFilter()

    def query(self, now: float) -> JobQuery:
        """Return the query of the index."""
        return JobQuery(
            phases=frozenset(STATUSES[each] for each in self.statuses if each != STUCK),
            stuck=STUCK in self.statuses,
            text=self.text,
            tags=frozenset((key, value) for key, _, value in (tag.partition("=") for tag in self.tags)),
            types=frozenset({TYPE_OF[self.type]}) if self.type else frozenset(),
            template=self.template,
            workspace=self.workspace,
            daemon=self.daemon,
            initiator=self.initiator,
            since=now - SINCE[self.since][1] if self.since else None,
            before=Cursor.parse(self.before),
        )

    def parameters(self) -> str:
        """Return the query string, without what is empty or the default."""
        pairs = [("status", each) for each in self.statuses]
        pairs += [("q", self.text), ("type", self.type), ("template", self.template), ("workspace", self.workspace)]
        pairs += [("daemon", self.daemon), *(("tag", each) for each in self.tags), ("initiator", self.initiator)]
        pairs += [("since", self.since), ("before", self.before)]
        pairs += [("limit", str(self.size) if self.size != DEFAULT_SIZE else "")]
        return urlencode([(key, value) for key, value in pairs if value])

    def address(self, path: str, **changes: object) -> str:
        """Return the address of the list with these fields changed, from its first page on unless `before` is given."""
        changed = replace(self, **({"before": ""} | changes))  # type: ignore[arg-type] # by name, from our own code
        found = changed.parameters()
        return f"{path}?{found}" if found else path


@dataclass(frozen=True, slots=True)
class Chip:
    """One active filter."""

    label: str
    value: str
    without: str
    """Address of the list without it."""


def parse_filter(pairs: Iterable[tuple[str, str]]) -> JobFilter:
    """Read the filter from the parameters of an address; those that cannot be understood are reported as ignored."""
    found: dict[str, object] = {}
    statuses: list[str] = []
    tags: list[str] = []
    ignored: list[str] = []
    for key, raw in pairs:
        value = raw.strip()[:LONGEST_VALUE]
        if not value:
            continue
        if key == "status" and (value == STUCK or value in STATUSES):
            statuses.append(value)
        elif key == "tag" and _is_tag(value) and len(tags) < _MOST_TAGS:
            tags.append(value)
        elif (field := _field_of(key, value)) is not None:
            found[field[0]] = field[1]
        elif key != _NOTICE:
            ignored.append(f"{key}={value}")
    order = [STUCK, *STATUSES]
    known = tuple(each for each in order if each in statuses)
    return JobFilter(known, tags=tuple(dict.fromkeys(tags)), ignored=tuple(ignored), **found)  # type: ignore[arg-type]


def chips(current: JobFilter, path: str) -> list[Chip]:
    """Return a chip for each active filter."""
    found = [
        Chip(
            "Status",
            _status_word(each),
            current.address(path, statuses=tuple(other for other in current.statuses if other != each)),
        )
        for each in current.statuses
    ]
    if current.type:
        found.append(Chip("Type", JOB_TYPES[TYPE_OF[current.type]], current.address(path, type="")))
    for label, field in (
        ("Search", "text"),
        ("Template", "template"),
        ("Workspace", "workspace"),
        ("Provisioner", "daemon"),
    ):
        if value := getattr(current, field):
            found.append(Chip(label, value, current.address(path, **{field: ""})))
    found += [
        Chip("Tag", each, current.address(path, tags=tuple(other for other in current.tags if other != each)))
        for each in current.tags
    ]
    if current.initiator:
        found.append(Chip("Initiator", current.initiator, current.address(path, initiator="")))
    if current.since:
        found.append(Chip("Created", f"in the last {SINCE[current.since][0]}", current.address(path, since="")))
    if current.size != DEFAULT_SIZE:
        found.append(Chip("On a page", f"{current.size} jobs", current.address(path, size=DEFAULT_SIZE)))
    return found


def toggled(statuses: Sequence[str], status: str) -> tuple[str, ...]:
    """Return the statuses with this one alone, or none if it was alone already."""
    return () if tuple(statuses) == (status,) else (status,)


_NOTICE = "notice"
"""Parameter of a page that follows a form; it is no filter."""
_TEXTS = {"q": "text", "template": "template", "workspace": "workspace", "daemon": "daemon", "initiator": "initiator"}


def _field_of(key: str, value: str) -> tuple[str, object] | None:
    """Return the field and value of a parameter that may occur once."""
    if key in _TEXTS:
        return _TEXTS[key], value
    if key == "type" and value in TYPE_OF:
        return "type", value
    if key == "since" and value in SINCE:
        return "since", value
    if key == "limit" and value in map(str, SIZES):
        return "size", int(value)
    if key == "before" and Cursor.parse(value) is not None:
        return "before", value
    return None


def _is_tag(value: str) -> bool:
    key, equals, content = value.partition("=")
    return bool(key and equals and content) and key not in (SCOPE, OWNER)


def _status_word(status: str) -> str:
    return "Stuck" if status == STUCK else PHASES[STATUSES[status]].word
