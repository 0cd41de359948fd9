"""Rendering of templates, and the static files that they refer to.

All text is escaped, and cleaned of what escaping leaves (`page.text`), in one place: no template can forget it.
"""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from provisioner_operator.web.page.text import plain

_PACKAGE = "provisioner_operator.web.page"
MEDIA_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@cache
def static_files() -> Mapping[str, bytes]:
    """Return the static files by name."""
    folder = files(_PACKAGE) / "static"
    found = {each.name: each.read_bytes() for each in folder.iterdir() if each.name.rpartition(".")[2] in MEDIA_TYPES}
    return MappingProxyType(found)


@cache
def static_digest() -> str:
    """Return a digest of all static files: part of their addresses, so that browsers keep them until they change."""
    digest = hashlib.sha256()
    for name, content in sorted(static_files().items()):
        digest.update(name.encode() + content)
    return digest.hexdigest()[:16]


def asset(name: str) -> str:
    """Return the address of a static file."""
    return f"/assets/{static_digest()}/{name}"


def render(template: str, **content: Any) -> Markup:
    """Return a template with this content."""
    return Markup(_environment().get_template(template).render(content))  # noqa: S704 # templates escape


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(_PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_cleaned,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = asset
    return environment


def _cleaned(value: Any) -> Any:
    return plain(value) if type(value) is str else value
