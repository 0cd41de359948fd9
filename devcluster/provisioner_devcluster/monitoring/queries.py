"""Queries of Prometheus' API, for a time window. Called by the page; knows nothing of panels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Mapping

_ANSWERS_WITHIN = aiohttp.ClientTimeout(total=30)
_SCRAPES_OF_A_RATE = 4
"""Scrapes that a rate spans at least, as Grafana's `$__rate_interval` does."""


class QueryError(Exception):
    """Prometheus refuses a query, or does not answer."""


@dataclass(frozen=True, slots=True)
class Series:
    """A time series, or the present value of one."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]
    """Unix times and values, in their order."""

    @property
    def last(self) -> float:
        """The latest value."""
        return self.points[-1][1]


@dataclass(frozen=True, slots=True)
class Window:
    """The time that a dashboard shows, at one resolution."""

    end: float
    seconds: int
    step: int
    scrape: int
    """Seconds between two scrapes."""

    @classmethod
    def until(cls, now: float, seconds: int, *, scrape: int, points: int) -> Window:
        """Return the window that ends now and has about as many points; steps of one window fall on the same times."""
        step = max(scrape, math.ceil(seconds / points))
        return cls(math.floor(now / step) * step, seconds, step, scrape)

    @property
    def begin(self) -> float:
        """Unix time of the first step."""
        return self.end - self.seconds

    def variables(self) -> dict[str, str]:
        """Return the variables that Grafana derives from a window."""
        rate = max(self.step + self.scrape, _SCRAPES_OF_A_RATE * self.scrape)
        return {
            "__rate_interval": f"{rate}s",
            "__interval": f"{self.step}s",
            "__range": f"{self.seconds}s",
        }


class Queries:
    """Questions to one Prometheus."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._api = f"{url}/api/v1/"

    async def over(self, window: Window, expr: str) -> list[Series]:
        """Return the series of an expression over a window. Raises QueryError."""
        found = await self._ask("query_range", query=expr, start=window.begin, end=window.end, step=window.step)
        return [_series(each["metric"], each["values"]) for each in found]

    async def present(self, window: Window, expr: str) -> list[Series]:
        """Return the values of an expression at the end of a window. Raises QueryError."""
        found = await self._ask("query", query=expr, time=window.end)
        return [_series(each["metric"], [each["value"]]) for each in found]

    async def _ask(self, path: str, **parameters: str | float) -> Any:
        try:
            async with self._session.get(self._api + path, params=parameters, timeout=_ANSWERS_WITHIN) as response:
                answer = await response.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise QueryError(f"Prometheus does not answer: {str(error) or type(error).__name__}") from error
        if answer.get("status") != "success":
            raise QueryError(answer.get("error", "Prometheus gives no reason."))
        return answer["data"]["result"]


def _series(labels: Mapping[str, str], points: list[tuple[float, str]]) -> Series:
    return Series(labels, tuple((at, float(value)) for at, value in points))
