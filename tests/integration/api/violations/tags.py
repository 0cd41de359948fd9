"""Tags of all kinds."""

from integration.api.violations.row import Creation
from support.builders.manifests import (
    a_daemon_manifest,
    a_job_manifest,
    a_pool_manifest,
    a_template_manifest,
    a_workspace_manifest,
)

_KEY = "a tag's key consists of letters, digits, '-', '_', '.' and '/', and begins and ends with a letter or digit"
_TAGS: tuple[tuple[str, dict[str, str]], ...] = (
    ("a tag's key has at most 63 characters", {"k" * 64: "v"}),
    (_KEY, {"-a": "v"}),
    (_KEY, {"a b": "v"}),
    (_KEY, {"": "v"}),
    (_KEY, {"a\n": "v"}),
    ("a tag's value cannot be empty: leave the tag out instead", {"environment": ""}),
    ("the tag 'scope' is reserved: its value must be organization or user", {"scope": "team"}),
    ("the tag 'scope: user' requires the tag 'owner' with the user's name", {"scope": "user"}),
    ("the tag 'scope: user' requires the tag 'owner' with the user's name", {"scope": "user", "owner": ""}),
    ("the tag 'owner' is reserved: it requires the tag 'scope: user'", {"owner": "x"}),
    ("the tag 'owner' is reserved: it requires the tag 'scope: user'", {"scope": "organization", "owner": "x"}),
)
TAGS = tuple(
    Creation(rule, build(tags=tags), "spec.tags")
    for rule, tags in _TAGS
    for build in (a_job_manifest, a_daemon_manifest, a_pool_manifest, a_template_manifest, a_workspace_manifest)
)
