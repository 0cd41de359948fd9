"""The README stays short enough to be read, and has what a newcomer looks for first."""

from support.manifests import REPOSITORY
from unit.docs.pages import read

README = REPOSITORY / "README.md"
MOST_LINES = 130


def test_the_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_the_readme_shows_what_it_is_and_why_a_job_waits() -> None:
    assert read(README).images == ["docs/images/overview.svg", "docs/images/jobs-why.svg"]


def test_the_readme_links_every_page_of_the_users() -> None:
    pages = {f"docs/{path.name}" for path in (REPOSITORY / "docs").glob("*.md")}
    linked = {link.partition("#")[0] for link in read(README).links}
    assert pages - linked == set()
