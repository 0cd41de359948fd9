"""The page: each dashboard at `/d/UID`, drawn anew at every request, without script and without anything from elsewhere.

Serves the loopback interface alone: whoever can log in here can ask Prometheus itself.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

import aiohttp
import click
from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from provisioner_devcluster.monitoring.dashboard import COLUMNS, Dashboard, read_dashboards
from provisioner_devcluster.monitoring.panel_view import PanelView, view, window_of
from provisioner_devcluster.monitoring.queries import Queries

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

HOST = "127.0.0.1"
DASHBOARD_PATH = "/d/{uid}"
"""Path of a dashboard, as Grafana has it."""
READY_PATH = "/readyz"
_RANGES: Mapping[str, int] = {"5m": 300, "15m": 900, "1h": 3_600, "6h": 21_600}
_RANGE = "15m"
_NOTHING_FROM_ELSEWHERE = "default-src 'none'; style-src 'unsafe-inline'"
_SESSION = web.AppKey("session", aiohttp.ClientSession)


class DashboardPage:
    """Handlers of one page."""

    def __init__(self, dashboards: Mapping[str, Dashboard], prometheus: str, scrape: int) -> None:
        self._dashboards = dashboards
        self._prometheus = prometheus
        self._scrape = scrape
        loader = PackageLoader("provisioner_devcluster.monitoring")
        self._template = Environment(
            loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        ).get_template("dashboard.html")

    def application(self) -> web.Application:
        """Return the server's application."""
        app = web.Application()
        app.router.add_get("/", self._first)
        app.router.add_get(READY_PATH, _ready)
        app.router.add_get(DASHBOARD_PATH, self._dashboard)
        app.cleanup_ctx.append(_session)
        return app

    async def _first(self, _: web.Request) -> web.Response:
        raise web.HTTPFound(DASHBOARD_PATH.format(uid=next(iter(self._dashboards))))

    async def _dashboard(self, request: web.Request) -> web.Response:
        dashboard = self._dashboards.get(request.match_info["uid"])
        if dashboard is None:
            raise web.HTTPNotFound(text=f"There are these dashboards: {', '.join(self._dashboards)}.")
        chosen = request.query.get("range", _RANGE)
        seconds = _RANGES.get(chosen)
        if seconds is None:
            raise web.HTTPBadRequest(text=f"There are these ranges: {', '.join(_RANGES)}.")
        text = self._template.render(
            dashboard=dashboard,
            rows=await self._rows(request, dashboard, seconds),
            dashboards=self._dashboards.values(),
            ranges=_RANGES,
            chosen=chosen,
            prometheus=self._prometheus,
            refresh=self._scrape * 2,
            columns=COLUMNS,
        )
        policy = {"Content-Security-Policy": _NOTHING_FROM_ELSEWHERE}
        return web.Response(text=text, content_type="text/html", headers=policy)

    async def _rows(
        self, request: web.Request, dashboard: Dashboard, seconds: int
    ) -> list[tuple[str, list[PanelView]]]:
        queries = Queries(request.app[_SESSION], self._prometheus)
        now = time.time()
        panels = [panel for row in dashboard.rows for panel in row.panels]
        windows = [window_of(panel, now, seconds, self._scrape) for panel in panels]
        asked = (view(panel, queries, each, dashboard.variables) for panel, each in zip(panels, windows, strict=True))
        views = iter(await asyncio.gather(*asked))
        return [(row.title, [next(views) for _ in row.panels]) for row in dashboard.rows]


async def serve(folder: Path, prometheus: str, *, port: int, scrape: int) -> None:
    """Serve the dashboards of a folder until the task is canceled; print the port as one JSON object."""
    runner = web.AppRunner(DashboardPage(read_dashboards(folder), prometheus, scrape).application())
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, port)
        await site.start()
        click.echo(json.dumps({"message": "Serving dashboards", "port": runner.addresses[0][1]}))
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


async def _ready(_: web.Request) -> web.Response:
    return web.Response(text="ok\n")


async def _session(app: web.Application) -> AsyncIterator[None]:
    async with aiohttp.ClientSession() as session:
        app[_SESSION] = session
        yield
