"""A browser window on the page of the web server, which reports all that the browser complains about."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, cast

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it has no types
from playwright.sync_api import Browser, Locator, Page, expect

TIMEOUT_MS = 60_000
"""Longer than a busy machine needs to show a change."""
_CSP_REPORTS = """
document.addEventListener('securitypolicyviolation', (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
"""
# Otherwise axe also describes every element that passed, which takes it longer than the checks.
_FAULTS = {"resultTypes": ["violations"]}
_EVERYTHING = {**_FAULTS, "rules": {"target-size": {"enabled": True}}}
_COLORS = {**_FAULTS, "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
# Only what is wrong leaves the page: to write down and pass on all that axe reports costs as much as its checks.
_FIND = """
options => axe.run(document, options).then(
    (report) => report.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`)))
"""
_ERRORS = frozenset({"error", "warning"})

expect.set_options(timeout=TIMEOUT_MS)


@dataclass
class PageVisit:
    """One window of a user."""

    page: Page
    org: str
    complaints: list[str] = field(default_factory=list)
    """Errors and warnings of the console, uncaught errors and reports of the content security policy."""
    refusals_expected: bool = False
    """Whether the test asks for pages that are refused, which the browser reports too."""

    def open(self, path: str = "provisioner-jobs") -> Page:
        """Go to a page of the organization, or to an absolute path."""
        self.page.goto(path if path.startswith("/") else f"/organizations/{self.org}/{path}")
        return self.page

    def live(self, path: str = "provisioner-jobs") -> Page:
        """Go to a page, and wait until it is live."""
        page = self.open(path)
        page.locator('#live[data-state="live"]').wait_for()
        return page

    def row(self, name: str) -> Locator:
        """The line of this name in a list."""
        return self.page.locator(f'tr.row[data-name="{name}"]')

    def hide(self, *, hidden: bool) -> None:
        """Let the page believe that its tab is in the background, or in front again."""
        self.page.evaluate(
            "hidden => { Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });"
            " document.dispatchEvent(new Event('visibilitychange')); }",
            hidden,
        )

    def expect_closed(self, word: str, reason: str) -> None:
        """Wait until the page says that nothing follows, and why; however long it is open, it asks no more."""
        expect(self.page.locator("#live")).to_contain_text(word)
        expect(self.page.locator("#closed")).to_contain_text(reason)
        expect(self.page.locator("#announcer")).to_contain_text(reason)
        asked: list[str] = []
        self.page.on("request", lambda request: asked.append(request.url))
        self.page.clock.fast_forward("05:00")
        assert asked == []

    def violations(self) -> list[str]:
        """Return what axe finds on the page, targets below 24 px among it."""
        return self._violations(_EVERYTHING)

    def color_violations(self) -> list[str]:
        """Return what axe finds wrong with the page's colors."""
        return self._violations(_COLORS)

    def _violations(self, options: Mapping[str, object]) -> list[str]:
        self.page.evaluate(Axe().axe_script)
        found: list[str] = self.page.evaluate(_FIND, options)
        return found

    def check(self) -> None:
        """Fail if the browser complained."""
        found = [each for each in self.complaints if not (self.refusals_expected and "Failed to load resource" in each)]
        assert not found, "\n".join(found)


@contextmanager
def a_visit(
    browser: Browser, url: str, token: str, *, org: str, scheme: str = "light", width: int = 1280, script: bool = True
) -> Iterator[PageVisit]:
    """Open a window that is signed in by the token, if there is one."""
    context = browser.new_context(
        base_url=url,
        viewport={"width": width, "height": 900 if width > 400 else 700},
        color_scheme=cast("Literal['light', 'dark']", scheme),
        java_script_enabled=script,
        reduced_motion="reduce",
    )
    context.set_default_timeout(TIMEOUT_MS)
    context.add_init_script(_CSP_REPORTS)
    if token:
        context.add_cookies([{"name": "provisioner", "value": token, "url": url, "httpOnly": True}])
    visit = PageVisit(context.new_page(), org)
    visit.page.on("console", lambda message: _note(visit, message.type, message.text))
    visit.page.on("pageerror", lambda error: visit.complaints.append(f"uncaught: {error}"))
    try:
        yield visit
        visit.check()
    finally:
        context.close()


def _note(visit: PageVisit, kind: str, text: str) -> None:
    if kind in _ERRORS:
        visit.complaints.append(f"{kind}: {text}")
