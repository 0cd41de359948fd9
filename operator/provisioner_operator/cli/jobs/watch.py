"""`jobs list --watch`: the table as it changes; on a terminal in its place, elsewhere a line for each change."""

import time
from collections.abc import Sequence

from rich.console import Group
from rich.live import Live
from rich.text import Text

from provisioner_operator.cli.api.watch_feed import Changed, Ended, Feed, Gone, Listed, News, Recovered, Store, Trouble
from provisioner_operator.cli.jobs import table as job_table
from provisioner_operator.cli.jobs.table import JobRow
from provisioner_operator.cli.output.table import Column, lines
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view.job_filter import Selection
from provisioner_operator.cli.view.live_snapshot import LiveSnapshot
from provisioner_operator.kube import paths

REDRAW_SECONDS = 0.5
"""How often the table may change; waiting times go on each second."""
_POLL = 0.1


def watch(
    session: Session,
    selection: Selection,
    *,
    selector: str | None,
    limit: int,
    sorting: str,
    columns: Sequence[Column[JobRow]],
) -> None:
    """Show the jobs until Ctrl-C. Raises CliError when the API server stays away."""
    cluster, scope = session.cluster, session.scope
    params = {"labelSelector": selector} if selector else {}
    live = LiveSnapshot()
    feeds = [
        (Feed(cluster, paths.jobs(scope), params), live.jobs),
        (Feed(cluster, paths.daemons(scope)), live.daemons),
        (Feed(cluster, paths.pools(scope)), live.pools),
    ]
    show = (
        _Live(session, selection, limit, sorting, columns)
        if session.terminal.is_interactive
        else _Lines(session, selection, columns)
    )
    try:
        with show:
            _run(feeds, live, show)
    finally:
        for feed, _ in feeds:
            feed.close()


def _run(feeds: Sequence[tuple[Feed, Store]], live: LiveSnapshot, show: "_Live | _Lines") -> None:
    ready: set[int] = set()
    jobs = feeds[0][0]
    changed: list[News] = []
    while True:
        first = jobs.next(_POLL)
        for at, (feed, store) in enumerate(feeds):
            for news in ([first] if at == 0 and first is not None else []) + list(feed.waiting()):
                if isinstance(news, Ended):
                    if feed is jobs:
                        raise news.error
                    ready.add(at)  # pools and daemons may be hidden from this user
                elif isinstance(news, Trouble | Recovered):
                    if feed is jobs:
                        show.tell(news)
                else:
                    ready.add(at)
                    store.take(news)
                    if feed is jobs:
                        changed.append(news)
        if len(ready) == len(feeds):
            show.update(live, changed)
            changed.clear()  # what came before all were ready is shown too


class _Live:
    """The table, redrawn in its place."""

    def __init__(
        self, session: Session, selection: Selection, limit: int, sorting: str, columns: Sequence[Column[JobRow]]
    ) -> None:
        self._session, self._selection, self._limit, self._sorting = session, selection, limit, sorting
        self._columns = columns
        self._live = Live(
            Text("Listing …", "dim"), console=session.terminal.out, auto_refresh=False, vertical_overflow="crop"
        )
        self._drawn = float("-inf")
        self._trouble: str | None = None

    def __enter__(self) -> None:
        self._live.start()

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def tell(self, news: Trouble | Recovered) -> None:
        self._trouble = news.message if isinstance(news, Trouble) else None
        self._drawn = float("-inf")

    def update(self, live: LiveSnapshot, _: Sequence[News]) -> None:
        if time.monotonic() - self._drawn < REDRAW_SECONDS:
            return
        self._drawn = time.monotonic()
        now = self._session.cluster.now()
        snapshot = live.snapshot(now)
        rows = [
            job_table.job_row(view, snapshot, now, utc=self._session.utc)
            for view in live.views()
            if self._selection.includes(view, snapshot)
        ]
        kept = job_table.sorted_rows(job_table.newest(rows, self._limit), self._sorting)
        console = self._session.terminal.out
        room = max(1, console.height - 3)
        table = lines(self._columns, kept[-room:], width=console.width)
        foot = Text(f"{job_table.summary(rows)} · Ctrl-C ends", "dim", no_wrap=True, overflow="ellipsis")
        if self._trouble:
            foot = Text(self._trouble, "bold red")
        self._live.update(Group(*[_ended(line) for line in table], Text(""), foot), refresh=True)


def _ended(line: Text) -> Text:
    line.end = "\n"
    return line


class _Lines:
    """A line for each job, and another for each change, as `kubectl get --watch` does."""

    def __init__(self, session: Session, selection: Selection, columns: Sequence[Column[JobRow]]) -> None:
        self._session, self._selection, self._columns = session, selection, columns
        self._has_header = False
        self._shown: dict[str, str] = {}

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, *_: object) -> None:
        """Nothing to restore."""

    def tell(self, news: Trouble | Recovered) -> None:
        text = f"{news.message} Trying again." if isinstance(news, Trouble) else "The API server is back."
        self._session.terminal.note(text)

    def update(self, live: LiveSnapshot, changed: Sequence[News]) -> None:
        uids: dict[str, None] = {}
        for news in changed:
            for body in (
                news.bodies if isinstance(news, Listed) else [news.body] if isinstance(news, Changed | Gone) else []
            ):
                uids[body["metadata"]["uid"]] = None
        if not uids:
            return
        now = self._session.cluster.now()
        snapshot = live.snapshot(now)
        rows = [
            job_table.job_row(view, snapshot, now, utc=self._session.utc)
            for view in live.views()
            if view.job.uid in uids and self._selection.includes(view, snapshot)
        ]
        rows = [row for row in rows if self._shown.get(row.view.job.uid) != _gist(row)]
        self._shown |= {row.view.job.uid: _gist(row) for row in rows}
        if rows:
            table = lines(self._columns, job_table.sorted_rows(rows, "created"), width=None)
            self._session.terminal.show(table if not self._has_header else table[1:])
            self._has_header = True
            self._session.terminal.out.file.flush()


def _gist(row: JobRow) -> str:
    """What makes a new line worth its place."""
    job = row.view.job
    return f"{job.phase} {row.reason} {row.view.stage} {job.assignment}"
