"""After a login a browser stays with this server, whatever `next` says."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.web.access.local_paths import local_path

HERE = "https://jobs.example.com/login"


@pytest.mark.parametrize("path", ["/", "/me", "/organizations/red/provisioner-jobs?status=failed&q=a%20b#row", "/a//b"])
def test_a_path_of_this_server_is_kept(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "me",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/\r\nSet-Cookie: a=b",
        "https://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        " //evil.example",
        "/a\\b",
        "/ä",
        "/a b",
        "/\x00",
    ],
    ids=ascii,
)
def test_threat_15_anything_else_leads_to_the_first_page(path: str | None) -> None:
    assert local_path(path) == "/"


@given(st.text(alphabet="/\\.:@?#%evil\t\r\n ", max_size=12))
def test_threat_15_no_path_leaves_this_server(text: str) -> None:
    # As browsers do before they resolve an address: white space within is dropped, and a backslash is a slash.
    seen = "".join(each for each in local_path(text) if each not in "\t\r\n").replace("\\", "/")

    assert urlsplit(urljoin(HERE, seen)).netloc == "jobs.example.com"
