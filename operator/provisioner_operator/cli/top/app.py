"""`top`: live tables of the queue, the running jobs and the daemons; with `screens`, all that imports textual."""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import ClassVar

from rich.console import RenderableType
from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.coordinate import Coordinate
from textual.widgets import DataTable, Footer, Input, Static
from typing_extensions import override

from provisioner_operator.cli.api.kubeconfig import Choice
from provisioner_operator.cli.api.watch_feed import Recovered, Trouble
from provisioner_operator.cli.errors import CliError, NothingToDoError, UsageError
from provisioner_operator.cli.jobs.cancel import CancelOptions, cancel_one
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.top import content
from provisioner_operator.cli.top import rows as top_rows
from provisioner_operator.cli.top.rows import Row
from provisioner_operator.cli.top.screens import Page, Question
from provisioner_operator.cli.view import loading
from provisioner_operator.cli.view.live_snapshot import LiveFeeds
from provisioner_operator.core.estimates.run_history import RunHistory
from provisioner_operator.kube import selectors

_POLL_SECONDS = 0.2
_REDRAW_SECONDS = 1.0
_LOG_SECONDS = 2.0


class Top(App[None]):
    """The tables."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter"),
        Binding("enter", "open", "Show", priority=False),
        Binding("w", "why", "Why"),
        Binding("l", "logs", "Logs"),
        Binding("c", "cancel", "Cancel"),
        Binding("tab", "app.focus_next", "Next table", show=True),
        Binding("q", "quit", "Quit"),
    ]
    CSS = """
    #summary { height: 1; padding: 0 1; }
    #trouble { height: auto; padding: 0 1; color: $error; display: none; }
    #filter { display: none; height: 3; }
    DataTable { height: 1fr; border: round $surface-lighten-2; }
    DataTable:focus { border: round $primary; }
    #jobs { height: 2fr; }
    """

    def __init__(self, session: Session, feeds: LiveFeeds) -> None:
        super().__init__()
        self._session = session
        self._feeds = feeds
        self._filter = ""
        self._history = RunHistory()
        self._drawn = float("-inf")
        self._keys: dict[str, list[str]] = {}
        self.failure: CliError | None = None
        """The error that ended the program."""

    @override
    def compose(self) -> ComposeResult:
        yield Static(Text("Listing …"), id="summary")
        yield Static("", id="trouble")
        yield Input(placeholder="words that a line must contain; Enter keeps them, Esc clears", id="filter")
        for name, title in (("queue", "Queue by demand"), ("jobs", "Jobs"), ("daemons", "Daemons")):
            table: DataTable[Text] = DataTable(id=name, cursor_type="row", zebra_stripes=False)
            table.border_title = title
            yield table
        yield Footer()

    def on_mount(self) -> None:
        """Prepare the tables and start to poll."""
        for name, titles in (
            ("queue", top_rows.QUEUE_TITLES),
            ("jobs", top_rows.JOB_TITLES),
            ("daemons", top_rows.DAEMON_TITLES),
        ):
            self._table(name).add_columns(*titles)
        self._table("jobs").focus()
        self.set_interval(_POLL_SECONDS, self._poll)
        self._learn_runs()

    # --- keys ---

    def action_filter(self) -> None:
        """Open the field for the filter's words."""
        field = self.query_one("#filter", Input)
        field.display = True
        field.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while the words are typed."""
        self._filter = event.value
        self._draw()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter and return to the jobs."""
        event.input.display = bool(event.value)
        self._table("jobs").focus()

    def on_key(self, event: object) -> None:
        """Clear the filter on Esc."""
        if getattr(event, "key", "") == "escape" and (self._filter or self.query_one("#filter").has_focus):
            field = self.query_one("#filter", Input)
            field.value = ""
            field.display = False
            self._table("jobs").focus()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Show the job of the line on Enter."""
        if event.data_table.id == "jobs":
            self.action_open()

    def action_open(self) -> None:
        """Show the selected job."""
        self._open_page("Job", content.job_page)

    def action_why(self) -> None:
        """Explain why the selected job waits."""
        width = max(40, self.size.width - 10)
        self._open_page("Why", lambda session, name: content.why_page(session, name, width))

    def action_logs(self) -> None:
        """Follow the log of the selected job."""
        self._open_page("Log of", content.log_page, every=_LOG_SECONDS)

    def action_cancel(self) -> None:
        """Cancel the selected job after a question."""
        selected = self._selected()
        if selected is None:
            return
        namespace, name = selected

        def answered(yes: bool | None) -> None:  # noqa: FBT001 - textual calls it so
            if yes:
                self._cancel(namespace, name)

        self.push_screen(Question(f"Cancel job {name} in namespace {namespace}?"), answered)

    def _open_page(
        self, title: str, read: Callable[[Session, str], RenderableType], *, every: float | None = None
    ) -> None:
        selected = self._selected()
        if selected is not None:
            namespace, name = selected
            session = self._in(namespace)
            self.push_screen(Page(f"{title} {name}", lambda: read(session, name), every=every))

    def _selected(self) -> tuple[str, str] | None:
        table, keys = self._table("jobs"), self._keys.get("jobs", [])
        if not keys or not 0 <= table.cursor_row < len(keys):
            self.notify("No job is selected.", severity="warning")
            return None
        namespace, _, name = keys[table.cursor_row].partition("/")
        return namespace, name

    def _in(self, namespace: str) -> Session:
        choice = self._session.choice
        return replace(self._session, choice=Choice(choice.kubeconfig, choice.context, namespace), all_namespaces=False)

    # --- threads ---

    @work(thread=True)
    def _cancel(self, namespace: str, name: str) -> None:
        try:
            outcome, severity = cancel_one(self._in(namespace), name, CancelOptions()), "information"
        except NothingToDoError as nothing:
            outcome, severity = str(nothing), "information"
        except CliError as error:
            outcome, severity = str(error), "error"
        self.call_from_thread(self.notify, f"{name}: {outcome}", severity=severity, markup=False)

    @work(thread=True)
    def _learn_runs(self) -> None:
        try:
            self._history = loading.run_history(self._session.cluster, self._session.scope, lambda _: None)
        except CliError:
            return

    # --- drawing ---

    def _poll(self) -> None:
        try:
            news_of_jobs = self._feeds.poll()
        except CliError as error:
            self.failure = error
            self.exit()
            return
        for news in news_of_jobs:
            if isinstance(news, Trouble | Recovered):
                self._report(news.message if isinstance(news, Trouble) else "")
        if self._feeds.is_complete and time.monotonic() - self._drawn >= _REDRAW_SECONDS:
            self._draw()

    def _report(self, trouble: str) -> None:
        widget = self.query_one("#trouble", Static)
        widget.update(Text(trouble))
        widget.display = bool(trouble)

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        session = self._session
        found = top_rows.tables(
            self._feeds.snapshot,
            session.cluster.now(),
            wanted=self._filter,
            history=self._history,
            namespaced=session.all_namespaces,
        )
        where = "all namespaces" if session.all_namespaces else f"namespace {session.namespace}"
        self.query_one("#summary", Static).update(Text.assemble((where, "bold"), f": {found.summary}"))
        for name, rows in (("queue", found.queue), ("jobs", found.jobs), ("daemons", found.daemons)):
            self._fill(name, rows)

    def _fill(self, name: str, rows: Iterable[Row]) -> None:
        """Update the cells that changed; with other rows than before, fill the table anew and keep the cursor's job."""
        table, rows = self._table(name), list(rows)
        keys = [row.key for row in rows]
        if keys == self._keys.get(name):
            for at, row in enumerate(rows):
                for column, cell in enumerate(row.cells):
                    if table.get_cell_at(Coordinate(at, column)) != cell:
                        table.update_cell_at(Coordinate(at, column), cell, update_width=True)
            return
        before = self._keys.get(name, [])
        selected = before[table.cursor_row] if 0 <= table.cursor_row < len(before) else None
        scrolled = table.scroll_y
        table.clear()
        for row in rows:
            table.add_row(*row.cells, key=row.key)
        self._keys[name] = keys
        if selected in keys:
            table.move_cursor(row=keys.index(selected), scroll=False)
        table.scroll_y = scrolled

    def _table(self, name: str) -> "DataTable[Text]":
        found: DataTable[Text] = self.query_one(f"#{name}", DataTable)
        return found


def run(session: Session) -> None:
    """Show the tables until q. Raises UsageError if standard output is not a terminal."""
    if not session.terminal.is_interactive:
        raise UsageError("`top` needs a terminal. `jobs list -w` works without one.")
    feeds = LiveFeeds(session.cluster, session.scope, {"fieldSelector": selectors.UNFINISHED_JOBS})
    app = Top(session, feeds)
    try:
        app.run()
    finally:
        feeds.close()
    if app.failure is not None:
        raise app.failure
