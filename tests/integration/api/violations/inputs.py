"""Sources and variables, of jobs and templates alike."""

from integration.api.violations.row import Creation
from support.builders.manifests import a_job_manifest, a_template_manifest
from support.git_refs import NO_BRANCHES, REFUSED
from support.manifests import Manifest

_FILE = (
    "a file's name has at most 253 characters: letters, digits, '-', '_', '.', and '/' between folders, without '.' and "
    "'..' as a step"
)
_SOURCE = "a source needs exactly one of inline, configMapRef and git"
_VARIABLE = "a variable needs exactly one of value and valueFrom"
_GIT = {"git": {"url": "https://git.example.com/templates.git"}}
_SECRET = {"secretKeyRef": {"name": "secret", "key": "key"}}


_GIT_URL = (
    "a git URL begins with https:// or http:// and contains no query, fragment or credentials: put credentials into a "
    "Secret and name it in secretRef"
)
_GIT_PATH = (
    "a path is relative to the repository's root, without '.', '..' or '.git' as a step, and without '/' at its ends"
)
_GIT_REF = (
    "a ref is a name that git allows (`git check-ref-format`): without '-' at its beginning, spaces, control characters, "
    "'~', '^', ':', '?', '*', '[', a backslash, '..' or '@{', without '/' or '.' at its ends, and without a step that is "
    "empty, begins with '.' or ends with '.lock'"
)
_HOST = "a host is a name in lower case, and a port if it is not 443: git.example.com, git.example.com:8443"
_TOO_LARGE = "inline files are larger than 512 KiB in total: put them into a ConfigMap and set configMapRef, or use git"
_NO_SOURCE = "spec.source is required when spec.provisioner is terraform"


def _inline(**files: str) -> Manifest:
    return {"source": {"inline": {"files": files}}}


def _login(host: str) -> Manifest:
    return {"source": _GIT, "moduleCredentials": [{"host": host, "secretRef": {"name": "login"}}]}


def _git(url: str = "https://git.example.com/templates.git", **fields: str) -> Manifest:
    return {"source": {"git": {"url": url, **fields}}}


_INPUTS: tuple[tuple[str, Manifest, str], ...] = (
    (_NO_SOURCE, {"provisioner": "terraform"}, "spec.source"),
    (_SOURCE, {"source": {}}, "spec.source"),
    *(
        (_HOST, _login(host), "spec.moduleCredentials[0].host")
        for host in (
            "https://git.example.com",
            "Git.example.com",
            "git.example.com/team",
            "git.example.com:0",
            "a b",
            "",
        )
    ),
    (_SOURCE, {"source": {"configMapRef": {"name": "files"}, "inline": {"files": {"main.tf": ""}}}}, "spec.source"),
    (_SOURCE, {"source": _GIT | {"configMapRef": {"name": "files"}}}, "spec.source"),
    (_SOURCE, {"source": _GIT | {"inline": {"files": {"main.tf": ""}}}}, "spec.source"),
    (_FILE, _inline(**{"/main.tf": ""}), "spec.source.inline.files"),
    (_FILE, _inline(**{"a//main.tf": ""}), "spec.source.inline.files"),
    (_FILE, _inline(**{"a/../main.tf": ""}), "spec.source.inline.files"),
    (_FILE, _inline(**{"..": ""}), "spec.source.inline.files"),
    (_FILE, _inline(**{".": ""}), "spec.source.inline.files"),
    (_FILE, _inline(**{"f" * 254: ""}), "spec.source.inline.files"),
    (
        _TOO_LARGE,
        _inline(**{"a.tf": "x" * 262_144, "b.tf": "x" * 262_144, "c.tf": "x"}),
        "spec.source.inline.files",
    ),
    # Measured in bytes: 90,000 characters each of three bytes.
    (_TOO_LARGE, _inline(**{"a.tf": "\u20ac" * 90_000, "b.tf": "\u20ac" * 90_000}), "spec.source.inline.files"),
    *(
        (_GIT_URL, _git(url), "spec.source.git.url")
        for url in (
            "file:///etc/passwd",
            "/etc/passwd",
            "ssh://git@example.com/a.git",
            "git@example.com:a.git",
            "https://user:secret@example.com/a.git",
            "https://example.com/a.git?token=secret",
            "https://example.com/a.git#fragment",
            "https://example.com",
        )
    ),
    *(
        (_GIT_PATH, _git(path=path), "spec.source.git.path")
        for path in ("..", "a/../../b", "/etc", "a/", "a/./b", "a/.git/b")
    ),
    *((_GIT_REF, _git(ref=ref), "spec.source.git.ref") for ref in (*REFUSED, *NO_BRANCHES)),
    (_VARIABLE, {"variables": [{"name": "a"}]}, "spec.variables[0]"),
    (_VARIABLE, {"variables": [{"name": "a", "value": "", "valueFrom": _SECRET}]}, "spec.variables[0]"),
)
"""Violations that a job and a template have in common."""
INPUTS = tuple(
    Creation(rule, build(**fields), at)
    for rule, fields, at in _INPUTS
    for build in (a_job_manifest, a_template_manifest)
)
