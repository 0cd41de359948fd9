"""Parameters of the lists, checked. Pure."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from provisioner_operator.api.v1alpha1.enums import JobType, Phase
from provisioner_operator.web.coder.convert.words import PHASE_OF
from provisioner_operator.web.coder.durations import parse_duration
from provisioner_operator.web.coder.models.base import Int32
from provisioner_operator.web.coder.tag_text import TagText
from provisioner_operator.web.index.query import Cursor
from provisioner_operator.web.index.rows import ObjectRow
from provisioner_operator.web.words import CODER_TYPE_WORD, JobTypeWord

DEFAULT_LIMIT = 50
MOST_OBJECTS = 500
"""Objects that one answer holds, also where a client asks for all of them: some 40 ms, for which no other user is served."""
_LONGEST_TEXT = 253


def split(value: object) -> object:
    """Split lists that are separated by commas; a parameter may also be repeated."""
    texts = value if isinstance(value, list) else [value]
    return [word.strip() for text in texts for word in str(text).split(",") if word.strip()]


Limit = Annotated[Int32, Field(ge=0)]
Text = Annotated[str, Field(max_length=_LONGEST_TEXT)]
StatusWord = Literal["pending", "running", "succeeded", "completed", "canceling", "canceled", "failed", "unknown"]


class Parameters(BaseModel):
    """Parameters of a list."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    limit: Limit = DEFAULT_LIMIT
    """Number of objects; 0 for as many as one answer holds, 500."""

    @property
    def most(self) -> int:
        """Number of objects that the answer may hold."""
        return min(self.limit or MOST_OBJECTS, MOST_OBJECTS)


def _moment(text: str) -> tuple[Literal["time", "age"], float]:
    """Return a time in seconds since the epoch, or an age in seconds. Raises ValueError."""
    try:
        return "age", parse_duration(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError("it is neither a time (RFC 3339) nor a duration such as 24h")
    return "time", moment.timestamp()


def _checked_moment(text: str) -> str:
    if text:
        _moment(text)
    return text


def _checked_duration(text: str) -> str:
    if text:
        parse_duration(text)
    return text


class JobParameters(Parameters):
    """Parameters of the list of jobs: Coder's, and after `initiator` ours."""

    status: Annotated[list[StatusWord], BeforeValidator(split)] = []
    """Statuses, separated by commas."""
    ids: Annotated[list[UUID], BeforeValidator(split)] = []
    """Ids of jobs, separated by commas."""
    tags: TagText = None
    """Tags as a JSON object, each of which the job has."""
    initiator: Text = ""
    """Id or name of the user who submitted the job."""
    before: Annotated[str, Field(pattern=r"^$|^[0-9]{1,16}(\.[0-9]{1,16})?_[0-9a-fA-F-]{36}$")] = ""
    """Place in the list to go on from: part of the header Link of the answer before."""
    q: Text = ""
    """Words that the job's name, id, workspace, template, initiator, daemon or tags contain."""
    template: Text = ""
    """Name of a template."""
    workspace: Text = ""
    """Name of a workspace."""
    daemon: Text = ""
    """Name of a daemon."""
    type: Annotated[list[JobTypeWord], BeforeValidator(split)] = []
    """Types, separated by commas."""
    since: Annotated[Text, AfterValidator(_checked_moment)] = ""
    """Earliest creation: a time (RFC 3339), or a duration before now, such as 24h."""
    priority: Int32 | None = None
    """The priority that the jobs have."""
    stuck: bool = False
    """Only jobs that make no progress until somebody acts."""

    @property
    def phases(self) -> frozenset[Phase]:
        """Phases that were asked for; empty for all, and for `unknown`, which no job is."""
        return frozenset(
            Phase.COMPLETED if word == "completed" else PHASE_OF[word] for word in self.status if word != "unknown"
        )

    @property
    def selects_nothing(self) -> bool:
        """Whether only statuses were asked for that no job ever has."""
        return bool(self.status) and not self.phases

    @property
    def types(self) -> frozenset[JobType]:
        """Types that were asked for; empty for all."""
        return frozenset(type_ for type_, word in CODER_TYPE_WORD.items() if word in self.type)

    @property
    def cursor(self) -> Cursor | None:
        """Place in the list to go on from."""
        return Cursor.parse(self.before)

    @property
    def is_relative(self) -> bool:
        """Whether jobs leave the selection as they grow older."""
        return bool(self.since) and _moment(self.since)[0] == "age"

    def earliest(self, now: float) -> float | None:
        """Return the earliest time of creation, in seconds since the epoch."""
        if not self.since:
            return None
        kind, value = _moment(self.since)
        return value if kind == "time" else now - value


class DaemonParameters(Parameters):
    """Parameters of the list of daemons."""

    ids: Annotated[list[UUID], BeforeValidator(split)] = []
    """Ids of daemons, separated by commas."""
    tags: TagText = None
    """Tags of a job as a JSON object: only daemons that would run it."""
    offline: bool = False
    """Also daemons that are offline."""
    status: Annotated[list[Literal["offline", "idle", "busy"]], BeforeValidator(split)] = []
    """Statuses, separated by commas; `offline` among them includes such daemons."""
    max_age: Annotated[Text, AfterValidator(_checked_duration)] = ""
    """Only daemons whose last heartbeat is not older, such as 10m."""


class WorkspaceParameters(Parameters):
    """Parameters of the list of workspaces."""

    limit: Limit = 0
    """Number of workspaces; 0 for as many as one answer holds, 500."""
    offset: Annotated[Int32, Field(ge=0)] = 0
    """Number of workspaces to skip."""
    q: Annotated[str, Field(max_length=1024)] = ""
    """Conditions as `key:value`: owner, name, template, status, organization, outdated; a bare word is part of a name."""
    after_id: UUID | None = None
    """Accepted, since Coder's client may send it."""


class WorkspaceOptions(BaseModel):
    """Parameters of one workspace."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    include_deleted: bool = False
    """Accepted, since Coder's client sends it; a deleted workspace is gone."""


class VersionParameters(Parameters):
    """Parameters of the list of a template's versions."""

    limit: Limit = 0
    """Number of versions; 0 for all."""
    offset: Annotated[Int32, Field(ge=0)] = 0
    """Number of versions to skip."""
    after_id: UUID | None = None
    """Accepted, since Coder's client may send it."""
    include_archived: bool = False
    """Accepted; no version is archived."""


class TemplateParameters(BaseModel):
    """Parameters of the list of templates."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    q: Text = ""
    """Conditions as `key:value`: organization, exact_name; a bare word is part of a name."""

    def selector(self) -> Callable[[ObjectRow], bool]:
        """Return what tells whether a template meets the conditions."""
        terms = search_terms(self.q)
        return lambda row: (
            terms.get("organization", row.namespace) == row.namespace
            and terms.get("exact_name", row.name) == row.name
            and terms.get("name", "") in row.name
        )


_TERM = re.compile(r'(?:([a-z_]+):)?(?:"([^"]*)"|(\S+))')


def search_terms(text: str) -> dict[str, str]:
    """Return the conditions of a search, `key:value` or `key:"value"`; a bare word is the condition `name`."""
    return {key or "name": quoted or bare for key, quoted, bare in _TERM.findall(text.lower())}


class BuildParameters(Parameters):
    """Parameters of the list of a workspace's builds."""

    limit: Limit = 0
    """Number of builds; 0 for all."""
    offset: Annotated[Int32, Field(ge=0)] = 0
    """Number of builds to skip."""
    after_id: UUID | None = None
    """Accepted, since Coder's client may send it."""
    since: str = ""
    """Accepted, since Coder's client may send it."""


class LogParameters(BaseModel):
    """Parameters of a log."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    follow: str | None = None
    """Present for a WebSocket that follows the log."""
    after: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Id of the last line that the client has."""
    format: Literal["json", "text"] = "json"
    """`json`, or `text` with one line for each of the log."""
