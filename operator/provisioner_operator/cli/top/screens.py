"""Screens over the tables of `top`: a page of text that is read in the background, and a question."""

import time
from collections.abc import Callable
from typing import ClassVar

from rich.console import RenderableType
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static
from textual.worker import get_current_worker
from typing_extensions import override

from provisioner_operator.cli.errors import CliError

Content = Callable[[], RenderableType]
"""Reads the content of a page; called in a thread, may raise CliError."""


class Page(ModalScreen[None]):
    """A text over the tables; with `every`, it is read again after that many seconds."""

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
        """Start to read."""
        self._read()

    def action_close(self) -> None:
        """Return to the tables."""
        self.dismiss()

    def action_scroll(self, lines: int) -> None:
        """Scroll the text."""
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
    """A yes-or-no question; every key but y is a no."""

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
