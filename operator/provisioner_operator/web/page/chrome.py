"""Frame of a page: who is signed in, where one is, other organizations, tabs, and a notice after a form.

Pure, but for `frame_of`, which asks what the user may see.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from provisioner_operator.api.v1alpha1.names import JOBS
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.context import WebContext
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.page import paths
from provisioner_operator.web.page.times import Elapsed, elapsed

_STALE_SECONDS = 10
"""Time without contact after which the page says so: a watch that starts over takes less."""


@dataclass(frozen=True, slots=True)
class Tab:
    """One of an organization's pages."""

    label: str
    icon: str
    href: str
    current: bool


@dataclass(frozen=True, slots=True)
class Notice:
    """Outcome of the form that led to this page."""

    text: str
    tone: str = "good"
    icon: str = "check"


@dataclass(frozen=True, slots=True)
class Chrome:
    """Everything around a page's content."""

    title: str
    now: float
    """Present time of the server, by which the browser counts."""
    user: str = ""
    is_local: bool = False
    """Whether the server is for this user alone: there is nothing to sign out of."""
    org: str = ""
    orgs: Sequence[str] = ()
    tabs: Sequence[Tab] = ()
    switch: Callable[[str], str] = paths.jobs
    """Returns the address of this page in another organization."""
    live: bool = False
    notice: Notice | None = field(default=None)

    @property
    def time(self) -> str:
        """The present time of day."""
        return datetime.fromtimestamp(self.now, UTC).strftime("%H:%M:%S UTC")


_TABS = (
    ("jobs", "Provisioner jobs", "jobs", paths.jobs),
    ("provisioners", "Provisioners", "server", paths.provisioners),
    ("workspaces", "Workspaces", "layers", paths.workspaces),
)
_NOTICES = {
    "canceled": "Cancel requested",
    "forced": "Forced stop requested",
    "suspended": "Suspended",
    "resumed": "Resumed",
    "retried": "Retry requested",
    "cordoned": "Cordoned: it gets no further jobs",
    "uncordoned": "Uncordoned: it gets jobs again",
    "draining": "Draining: it finishes its jobs and gets no further ones",
    "started": "Start requested",
    "stopped": "Stop requested",
    "rebuilt": "Rebuild requested",
    "updated": "Update requested",
    "deleted": "Deletion requested",
}
"""Words for `notice` in an address: only these are ever shown."""


def notice_of(word: str | None) -> Notice | None:
    """Return the notice that the address of a page asks for."""
    text = _NOTICES.get(word or "")
    return None if text is None else Notice(f"{text}.")


def stale_since(index: ClusterIndex) -> Elapsed | None:
    """Return the age of what is shown while the API server cannot be reached; None while it can."""
    seconds = index.stale_seconds
    if seconds < _STALE_SECONDS:
        return None
    # The same at each rendering of one outage.
    since = (index.now() - seconds) // _STALE_SECONDS * _STALE_SECONDS
    return elapsed(int(index.now() - since), since)


async def frame_of(
    context: WebContext,
    caller: Caller,
    title: str,
    *,
    org: str = "",
    tab: str = "",
    live: bool = False,
    notice: str | None = None,
) -> Chrome:
    """Return the frame of a page for this user."""
    switch = next((address for key, _, _, address in _TABS if key == tab), paths.jobs)
    tabs = tuple(Tab(label, icon, address(org), key == tab) for key, label, icon, address in _TABS) if org else ()
    return Chrome(
        title=title,
        now=context.index.now(),
        user=caller.user.name,
        is_local=context.session is not None,
        org=org,
        orgs=await _organizations(context, caller),
        tabs=tabs,
        switch=switch,
        live=live,
        notice=notice_of(notice),
    )


async def _organizations(context: WebContext, caller: Caller) -> list[str]:
    # Kept for a while: asking takes a review for each namespace, and what the menu leads to is asked for anew.
    now = context.clock().monotonic
    found = context.menus.find(caller.key, now)
    if found is not None and not context.menus.is_aging(caller.key, now):
        return found[0]
    asked = context.menu_reviews.begin(caller.key, lambda: _review_organizations(context, caller))
    return found[0] if found is not None else await asyncio.shield(asked)


async def _review_organizations(context: WebContext, caller: Caller) -> list[str]:
    now = context.clock().monotonic
    visible = sorted(await caller.visible(JOBS))
    context.menus.keep(caller.key, visible, now)
    return visible
