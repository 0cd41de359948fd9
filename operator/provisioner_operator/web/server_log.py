"""The server's log: one line of JSON for each record, with the user, the request and the object in fields of their own."""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

_FIELDS = ("message", "levelname", "name")


def configure(log_format: str, level: int = logging.INFO) -> None:
    """Set up logging to stderr; `log_format` is `json` or `text`."""
    handler = logging.StreamHandler(sys.stderr)
    if log_format == "json":
        names = {"levelname": "level", "name": "logger"}
        handler.setFormatter(
            JsonFormatter(" ".join(f"%({field})s" for field in _FIELDS), timestamp=True, rename_fields=names)
        )
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("kopf").setLevel(logging.WARNING)
    # Its lines about each WebSocket name the query, in which a client may have put a token by mistake.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.getLogger("websockets").setLevel(logging.WARNING)
