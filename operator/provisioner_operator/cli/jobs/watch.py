"""`jobs list --watch`: keep the table up to date on a terminal; elsewhere, print a line for each change."""

import time
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group
from rich.live import Live
from rich.text import Text

from provisioner_operator.cli.api.watch_feed import Changed, Gone, Listed, News, Recovered, Trouble
from provisioner_operator.cli.jobs import table as job_table
from provisioner_operator.cli.jobs.table import JobRow
from provisioner_operator.cli.output.table import Column, lines
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view.job_filter import Selection
from provisioner_operator.cli.view.live_snapshot import LiveFeeds, LiveSnapshot
from provisioner_operator.core.estimates.run_history import RunHistory
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.views.snapshot import Snapshot
from provisioner_operator.core.views.wait_estimate import Forecast
from provisioner_operator.kube.object_states import Body, meta_of

REDRAW_SECONDS = 0.5
"""Shortest time between two drawings of the table."""
FORECAST_SECONDS = 5.0
"""Time for which estimates are kept."""
_POLL_SECONDS = 0.1


def watch(
    session: Session,
    selection: Selection,
    *,
    selector: str | None,
    limit: int,
    sorting: str,
    columns: Sequence[Column[JobRow]],
) -> None:
    """Show the jobs until Ctrl-C. Raises CliError when the API server stays unreachable."""
    view = (
        _Screen(session, selection, limit, sorting, columns)
        if session.terminal.is_interactive
        else _Lines(session, selection, columns)
    )
    feeds = LiveFeeds(session.cluster, session.scope, {"labelSelector": selector} if selector else {})
    unseen: list[News] = []
    try:
        with view:
            while True:
                for news in feeds.poll(_POLL_SECONDS):
                    if isinstance(news, Trouble | Recovered):
                        view.report(news)
                    else:
                        unseen.append(news)
                if feeds.is_complete:
                    view.update(feeds.snapshot, unseen)
                    unseen.clear()
    finally:
        feeds.close()


class _Ahead:
    """Outlook of the jobs, kept for a few seconds: it takes longer than to draw the table."""

    def __init__(self) -> None:
        self._forecast: Forecast | None = None
        self._made = float("-inf")

    def of(self, snapshot: Snapshot, jobs: Iterable[Job]) -> Forecast:
        if self._forecast is None or not self._made <= snapshot.now < self._made + FORECAST_SECONDS:
            self._forecast = Forecast(snapshot, RunHistory(job for job in jobs if job.phase in TERMINAL))
            self._made = snapshot.now
        return self._forecast


def _rows(session: Session, selection: Selection, live: LiveSnapshot, ahead: _Ahead) -> list[JobRow]:
    now = session.cluster.now()
    snapshot = live.at(now)
    views = live.job_views()
    forecast = ahead.of(snapshot, (view.job for view in views))
    return [
        job_table.job_row(view, snapshot, now, forecast=forecast, utc=session.utc)
        for view in views
        if selection.includes(view, snapshot)
    ]


class _Screen:
    """The table, redrawn in place."""

    def __init__(
        self, session: Session, selection: Selection, limit: int, sorting: str, columns: Sequence[Column[JobRow]]
    ) -> None:
        self._session, self._selection, self._limit, self._sorting = session, selection, limit, sorting
        self._columns = columns
        self._live = Live(
            Text("Listing …", "dim"), console=session.terminal.out, auto_refresh=False, vertical_overflow="crop"
        )
        self._ahead = _Ahead()
        self._drawn = float("-inf")
        self._trouble: str | None = None

    def __enter__(self) -> None:
        self._live.start()

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def report(self, news: Trouble | Recovered) -> None:
        self._trouble = news.message if isinstance(news, Trouble) else None
        self._drawn = float("-inf")

    def update(self, live: LiveSnapshot, _: Sequence[News]) -> None:
        if time.monotonic() - self._drawn < REDRAW_SECONDS:
            return
        self._drawn = time.monotonic()
        rows = _rows(self._session, self._selection, live, self._ahead)
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
    """A line for each job, and another for each change, as `kubectl get --watch` prints them."""

    def __init__(self, session: Session, selection: Selection, columns: Sequence[Column[JobRow]]) -> None:
        self._session, self._selection, self._columns = session, selection, columns
        self._ahead = _Ahead()
        self._has_header = False
        self._shown: dict[str, str] = {}

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, *_: object) -> None:
        """Nothing to restore."""

    def report(self, news: Trouble | Recovered) -> None:
        text = f"{news.message} Trying again." if isinstance(news, Trouble) else "The API server is back."
        self._session.terminal.note(text)

    def update(self, live: LiveSnapshot, unseen: Sequence[News]) -> None:
        uids = {meta_of(body).uid for news in unseen for body in _bodies(news)}
        if not uids:
            return
        rows = [row for row in _rows(self._session, self._selection, live, self._ahead) if row.view.job.uid in uids]
        rows = [row for row in rows if self._shown.get(row.view.job.uid) != _visible_state(row)]
        self._shown |= {row.view.job.uid: _visible_state(row) for row in rows}
        if rows:
            table = lines(self._columns, job_table.sorted_rows(rows, "created"), width=None)
            self._session.terminal.show(table if not self._has_header else table[1:])
            self._has_header = True
            self._session.terminal.out.file.flush()


def _bodies(news: News) -> Iterator[Body]:
    match news:
        case Listed(bodies):
            yield from bodies
        case Changed(body) | Gone(body):
            yield body
        case _:
            pass


def _visible_state(row: JobRow) -> str:
    """Return the part of a line whose change deserves a new line."""
    job = row.view.job
    return f"{job.phase} {row.reason} {row.view.stage} {job.assignment}"
