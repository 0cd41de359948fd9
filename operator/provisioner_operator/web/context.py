"""Everything that the routes of the web server use: made once by `server`, or by a test."""

from collections.abc import Callable
from dataclasses import dataclass, field

from provisioner_operator.core.model.instant import Instant
from provisioner_operator.web.access.answer_cache import AnswerCache, Lifetimes
from provisioner_operator.web.access.authentication import Authenticator
from provisioner_operator.web.access.local_session import LocalSession
from provisioner_operator.web.access.single_flight import SingleFlight
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.logs.log_reads import LogReads
from provisioner_operator.web.settings import Settings
from provisioner_operator.web.streams import Streams

_MOST_MENUS = 500


@dataclass(frozen=True, slots=True)
class WebContext:
    """The index, the users' access, the settings and the clock of one server."""

    index: ClusterIndex
    access: Authenticator
    """Finds the user who sends a request."""
    settings: Settings
    clock: Callable[[], Instant]
    streams: Streams
    """The live streams that are open."""
    session: LocalSession | None = None
    """The only session, of a server for one user on loopback."""
    log_reads: LogReads = field(default_factory=LogReads)
    """The whole logs that are being read."""
    menus: AnswerCache[str, list[str]] = field(default_factory=lambda: AnswerCache(Lifetimes(), _MOST_MENUS))
    """Names of the organizations that each credential's menu offers."""
    menu_reviews: SingleFlight[str, list[str]] = field(default_factory=SingleFlight)
    """Those for which the reviews are under way."""
