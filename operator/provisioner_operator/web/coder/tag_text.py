"""Tags as a parameter of a request: a JSON object of texts."""

import json
import re
from typing import Annotated

from pydantic import BeforeValidator, Field

from provisioner_operator.core.model.matching import Tags, effective_tags

_LONGEST = 4096
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
"""Characters that JSON can escape, and no answer can quote."""


def _checked(text: object) -> object:
    """Check that the text is a JSON object of texts."""
    if text in (None, ""):
        return None
    if len(str(text)) > _LONGEST:
        raise ValueError(f"it has more than {_LONGEST} characters")
    try:
        found = json.loads(str(text))
    except RecursionError:
        raise ValueError("it is nested") from None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ValueError('it is not a JSON object of texts, such as {"zone":"eu"}')
    if _HALF_CHARACTER.search("".join((*found, *found.values()))):
        raise ValueError("it contains half a character")
    return text


TagText = Annotated[str | None, BeforeValidator(_checked), Field(max_length=_LONGEST)]


def given_tags(text: str | None) -> Tags:
    """Return the tags of a parameter that was checked, as they were written."""
    return frozenset() if text is None else frozenset(json.loads(text).items())


def tags_of_job(text: str | None) -> Tags | None:
    """Return the tags that a job submitted with those of a checked parameter has; None without a parameter."""
    return None if text is None else effective_tags(json.loads(text))
