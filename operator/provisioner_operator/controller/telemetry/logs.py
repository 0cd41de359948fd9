"""Structured logs: one JSON object per line, with the job or daemon that a line is about in a field of its own."""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

_FIELDS = ("message", "levelname", "name")


def configure(log_format: str) -> None:
    """Set up logging to stderr; `log_format` is `json` or `text`."""
    handler = logging.StreamHandler(sys.stderr)
    if log_format == "json":
        handler.setFormatter(
            JsonFormatter(
                " ".join(f"%({field})s" for field in _FIELDS),
                timestamp=True,
                rename_fields={"levelname": "level", "name": "logger"},
            )
        )
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # Kopf logs a line for each event of each object; this controller logs the changes that matter by itself.
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)
    logging.getLogger("kopf").setLevel(logging.WARNING)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
