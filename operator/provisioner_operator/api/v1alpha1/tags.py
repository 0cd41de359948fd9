"""Tags that jobs demand and daemons offer, with their rules.

`scope` and `owner` are reserved, as in Coder. Coder silently drops tags with empty values; here they are refused,
because a dropped tag sends a job to the wrong daemon.
"""

from typing import Annotated

from pydantic import Field, StringConstraints

from provisioner_operator.api.v1alpha1.rules import Rule, rule, validated_by

SCOPE = "scope"
"""The reserved tag with the scope of a daemon: `organization` (the default) or `user`."""
OWNER = "owner"
"""The reserved tag with the user's name if the scope is `user`."""

_IS_USER_SCOPE = f"self[?'{SCOPE}'].orValue('') == 'user'"
_HAS_OWNER = f"self[?'{OWNER}'].orValue('') != ''"


def each_key(condition: str, message: str) -> Rule:
    """Build a rule of each tag, as a condition on its `key`; the message ends with one of the keys that break it.

    With all of them, the API server would estimate too high a cost: nothing bounds the length of a key beforehand.
    """
    broken = f"self.filter(key, !({condition}))[0]"
    return rule(f"self.all(key, {condition})", message, message_expression=f'"{message}: see the tag " + {broken}')


TAG_RULES: tuple[Rule, ...] = (
    each_key("key.size() <= 63", "a tag's key has at most 63 characters"),
    each_key(
        "key.matches('^[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?$')",
        "a tag's key consists of letters, digits, '-', '_', '.' and '/', and begins and ends with a letter or digit",
    ),
    each_key(
        f"key == '{OWNER}' || self[key] != ''",
        "a tag's value cannot be empty: leave the tag out instead",
    ),
    rule(
        f"!('{SCOPE}' in self) || self['{SCOPE}'] in ['organization', 'user']",
        "the tag 'scope' is reserved: its value must be organization or user",
    ),
    rule(
        f"!({_IS_USER_SCOPE}) || {_HAS_OWNER}",
        "the tag 'scope: user' requires the tag 'owner' with the user's name",
    ),
    rule(
        f"!({_HAS_OWNER}) || {_IS_USER_SCOPE}",
        "the tag 'owner' is reserved: it requires the tag 'scope: user'",
    ),
)

TagValue = Annotated[str, StringConstraints(max_length=253)]
Tags = Annotated[dict[str, TagValue], Field(max_length=32, json_schema_extra=validated_by(*TAG_RULES))]
