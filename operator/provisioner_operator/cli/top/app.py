"""`top`: the queue, the running jobs and the daemons, live; the only module that needs textual."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import ClassVar

from rich.console import Group, RenderableType
from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.coordinate import Coordinate
from textual.screen import ModalScreen
from textual.widgets import DataTable, Footer, Input, Static
from textual.worker import get_current_worker
from typing_extensions import override

from provisioner_operator.cli.api.kubeconfig import Choice
from provisioner_operator.cli.api.watch_feed import Ended, Feed, Recovered, Store, Trouble
from provisioner_operator.cli.errors import CliError, UsageError
from provisioner_operator.cli.jobs import show, why
from provisioner_operator.cli.jobs.cancel import Asked, NothingToDoError, cancel_one
from provisioner_operator.cli.jobs.logs import Wanted, formatted, snapshot
from provisioner_operator.cli.jobs.retry import RETRY_OF
from provisioner_operator.cli.output.table import lines
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.top import rows as top_rows
from provisioner_operator.cli.top.rows import Row
from provisioner_operator.cli.view import loading
from provisioner_operator.cli.view.live_snapshot import Picture
from provisioner_operator.core.views.wait_estimate import observed_runs
from provisioner_operator.kube import paths, selectors

_POLL_SECONDS = 0.2
_REDRAW_SECONDS = 1.0
_LOG_SECONDS = 2.0
_LOG_LINES = 500

Content = Callable[[], RenderableType]
"""Reads what a page shows; called in a thread, may raise CliError."""


class Page(ModalScreen[None]):
    """A text over the tables, read in the background; read again each `every` seconds if that is given."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Close"),
        Binding("down,j", "scroll(1)", "Down", show=False),
        Binding("up,k", "scroll(-1)", "Up", show=False),
    ]
    CSS = """
    Page { align: center middle; }
    Page > Vertical { width: 96%; height: 92%; border: round $primary; background: $surface; }
    Page Static { padding: 0 1; }
    """

    def __init__(self, title: str, content: Content, *, every: float | None = None) -> None:
        super().__init__()
        self._title = title
        self._content = content
        self._every = every

    @override
    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = self._title
            box.border_subtitle = "Esc closes"
            with VerticalScroll():
                yield Static(Text("Reading …", "dim"), id="page")

    def on_mount(self) -> None:
        """Begin to read."""
        self._read()

    def action_close(self) -> None:
        """Back to the tables."""
        self.dismiss()

    def action_scroll(self, lines: int) -> None:
        """Move the text."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    @work(thread=True, exclusive=True)
    def _read(self) -> None:
        worker = get_current_worker()
        while not worker.is_cancelled:
            try:
                content = self._content()
            except CliError as error:
                content = Text(str(error), "red")
            self.app.call_from_thread(self._show, content)
            if self._every is None:
                return
            time.sleep(self._every)

    def _show(self, content: RenderableType) -> None:
        if not self.is_mounted:
            return
        self.query_one("#page", Static).update(content)
        if self._every is not None:
            self.query_one(VerticalScroll).scroll_end(animate=False)


class Question(ModalScreen[bool]):
    """Yes or no; anything but y is no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n,escape,enter,q", "answer(False)", "No"),
    ]
    CSS = """
    Question { align: center middle; }
    Question > Static { width: auto; max-width: 90%; padding: 1 2; border: round $warning; background: $surface; }
    """

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    @override
    def compose(self) -> ComposeResult:
        yield Static(Text(f"{self._question}\n\n[y] yes   [n] no"))

    def action_answer(self, answer: bool) -> None:  # noqa: FBT001 - textual calls it so
        """Close with the answer."""
        self.dismiss(answer)


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

    def __init__(self, session: Session, feeds: Sequence[tuple[Feed, Store]], picture: Picture) -> None:
        super().__init__()
        self._session = session
        self._feeds = feeds
        self._picture = picture
        self._filter = ""
        self._mean_run: float | None = None
        self._drawn = float("-inf")
        self._listed = 0
        self._keys: dict[str, list[str]] = {}
        self.failure: CliError | None = None

    @override
    def compose(self) -> ComposeResult:
        yield Static(Text("Listing …"), id="summary")
        yield Static("", id="trouble")
        yield Input(placeholder="words that a line must have; Enter keeps, Esc clears", id="filter")
        for name, title in (("queue", "Queue by demand"), ("jobs", "Jobs"), ("daemons", "Daemons")):
            table: DataTable[Text] = DataTable(id=name, cursor_type="row", zebra_stripes=False)
            table.border_title = title
            yield table
        yield Footer()

    def on_mount(self) -> None:
        """Begin."""
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
        """Ask for words."""
        field = self.query_one("#filter", Input)
        field.display = True
        field.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while it is typed."""
        self._filter = event.value
        self._draw()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter, and go back to the jobs."""
        event.input.display = bool(event.value)
        self._table("jobs").focus()

    def on_key(self, event: object) -> None:
        """Esc clears the filter."""
        if getattr(event, "key", "") == "escape" and (self._filter or self.query_one("#filter").has_focus):
            field = self.query_one("#filter", Input)
            field.value = ""
            field.display = False
            self._table("jobs").focus()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Enter on a line."""
        if event.data_table.id == "jobs":
            self.action_open()

    def action_open(self) -> None:
        """Show the chosen job."""
        self._with_job("Job", self._show_job)

    def action_why(self) -> None:
        """Say why the chosen job waits."""
        self._with_job("Why", self._explain_job)

    def action_logs(self) -> None:
        """Follow the chosen job's log."""
        self._with_job("Log of", self._read_log, every=_LOG_SECONDS)

    def action_cancel(self) -> None:
        """Cancel the chosen job, if the question is answered so."""
        chosen = self._chosen()
        if chosen is None:
            return
        namespace, name = chosen

        def answered(yes: bool | None) -> None:  # noqa: FBT001 - textual calls it so
            if yes:
                self._cancel(namespace, name)

        self.push_screen(Question(f"Cancel job {name} in namespace {namespace}?"), answered)

    # --- work in threads ---

    @work(thread=True)
    def _cancel(self, namespace: str, name: str) -> None:
        try:
            said, severity = cancel_one(self._in(namespace), name, Asked()), "information"
        except NothingToDoError as nothing:
            said, severity = str(nothing), "information"
        except CliError as error:
            said, severity = str(error), "error"
        self.call_from_thread(self.notify, f"{name}: {said}", severity=severity, markup=False)

    @work(thread=True)
    def _learn_runs(self) -> None:
        try:
            runs = loading.ended_runs(self._session.cluster, self._session.scope, lambda _: None)
        except CliError:
            return
        self._mean_run, _ = observed_runs(runs)

    def _in(self, namespace: str) -> Session:
        """The session in the namespace of a line."""
        choice = self._session.choice
        return replace(self._session, choice=Choice(choice.kubeconfig, choice.context, namespace), all_namespaces=False)

    def _show_job(self, session: Session, name: str) -> RenderableType:
        body, model = loading.read_job(session.cluster, session.namespace, name)
        job = loading.job_view(model).job
        scene = loading.scene(session.cluster, session.namespace, lambda _: None)
        retry_of = (body["metadata"].get("annotations") or {}).get(RETRY_OF)
        now = session.cluster.now()
        return Group(*show.told(model, job, scene, now=now, utc=session.utc, retry_of=retry_of))

    def _explain_job(self, session: Session, name: str) -> RenderableType:
        _, model = loading.read_job(session.cluster, session.namespace, name)
        scene = loading.scene(session.cluster, session.namespace, lambda _: None)
        job = loading.job_view(model).job
        job = scene.jobs.get(job.uid, job)
        told = why.told(job, scene, why.guess_for(session, job, scene), utc=session.utc)
        found = why.fits(job.demand, scene)
        table = lines(why.useful(found), found, width=max(40, self.size.width - 10)) if found else []
        return Group(*told, Text(""), *[_with_newline(line) for line in table])

    def _read_log(self, session: Session, name: str) -> RenderableType:
        source, found = snapshot(session, name, Wanted(tail=_LOG_LINES))
        text = "\n".join(formatted(line, timestamps=False) for line in found)
        return Group(Text(f"{source}, the last {len(found)} lines", "dim"), Text(text))

    def _with_job(
        self, title: str, read: Callable[[Session, str], RenderableType], *, every: float | None = None
    ) -> None:
        chosen = self._chosen()
        if chosen is not None:
            namespace, name = chosen
            session = self._in(namespace)
            self.push_screen(Page(f"{title} {name}", lambda: read(session, name), every=every))

    def _chosen(self) -> tuple[str, str] | None:
        table, keys = self._table("jobs"), self._keys.get("jobs", [])
        if not keys or not 0 <= table.cursor_row < len(keys):
            self.notify("No job is chosen.", severity="warning")
            return None
        namespace, _, name = keys[table.cursor_row].partition("/")
        return namespace, name

    # --- drawing ---

    def _poll(self) -> None:
        for at, (feed, store) in enumerate(self._feeds):
            for news in feed.waiting():
                if store.take(news):
                    self._listed |= 1 << at
                elif isinstance(news, Ended):
                    self._listed |= 1 << at
                    if at == 0:
                        self.failure = news.error
                        self.exit()
                        return
                elif at == 0 and isinstance(news, Trouble | Recovered):
                    self._tell(news.message if isinstance(news, Trouble) else "")
        everything = (1 << len(self._feeds)) - 1
        if self._listed == everything and time.monotonic() - self._drawn >= _REDRAW_SECONDS:
            self._draw()

    def _tell(self, trouble: str) -> None:
        widget = self.query_one("#trouble", Static)
        widget.update(Text(trouble))
        widget.display = bool(trouble)

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        session = self._session
        found = top_rows.tables(
            self._picture,
            session.cluster.now(),
            wanted=self._filter,
            mean_run=self._mean_run,
            namespaced=session.all_namespaces,
        )
        where = "all namespaces" if session.all_namespaces else f"namespace {session.namespace}"
        self.query_one("#summary", Static).update(Text.assemble((where, "bold"), f": {found.summary}"))
        for name, rows in (("queue", found.queue), ("jobs", found.jobs), ("daemons", found.daemons)):
            self._fill(name, rows)

    def _fill(self, name: str, rows: Iterable[Row]) -> None:
        table, rows = self._table(name), list(rows)
        keys = [row.key for row in rows]
        if keys == self._keys.get(name):
            for at, row in enumerate(rows):
                for column, cell in enumerate(row.cells):
                    if table.get_cell_at(Coordinate(at, column)) != cell:
                        table.update_cell_at(Coordinate(at, column), cell, update_width=True)
            return
        before = self._keys.get(name, [])
        chosen = before[table.cursor_row] if 0 <= table.cursor_row < len(before) else None
        scrolled = table.scroll_y
        table.clear()
        for row in rows:
            table.add_row(*row.cells, key=row.key)
        self._keys[name] = keys
        if chosen in keys:
            table.move_cursor(row=keys.index(chosen), scroll=False)
        table.scroll_y = scrolled

    def _table(self, name: str) -> "DataTable[Text]":
        found: DataTable[Text] = self.query_one(f"#{name}", DataTable)
        return found


def _with_newline(line: Text) -> Text:
    line.end = "\n"
    return line


def run(session: Session) -> None:
    """Show the tables until q. Raises UsageError where there is no terminal."""
    if not session.terminal.is_interactive:
        raise UsageError("top needs a terminal: `jobs list -w` goes everywhere.")
    cluster, scope = session.cluster, session.scope
    picture = Picture()
    feeds = [
        (Feed(cluster, paths.jobs(scope), {"fieldSelector": selectors.UNFINISHED_JOBS}), picture.jobs),
        (Feed(cluster, paths.daemons(scope)), picture.daemons),
        (Feed(cluster, paths.pools(scope)), picture.pools),
    ]
    app = Top(session, feeds, picture)
    try:
        app.run()
    finally:
        for feed, _ in feeds:
            feed.close()
    if app.failure is not None:
        raise app.failure
