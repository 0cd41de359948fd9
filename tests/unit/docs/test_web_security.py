"""The page about the web server's security names a test for each attack, and every test that it names exists."""

import re

from support.manifests import REPOSITORY

PAGE = REPOSITORY / "docs" / "web-security.md"
ATTACKS = 23
_ROW = re.compile(r"^\| (\d+) \|.*\| ([^|]+) \|$", re.MULTILINE)
_TEST = re.compile(r"`(test_\w+)`")
_DEFINITION = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)


def test_each_attack_has_tests_and_each_test_exists() -> None:
    rows = {int(number): set(_TEST.findall(tests)) for number, tests in _ROW.findall(PAGE.read_text(encoding="utf-8"))}
    folders = (REPOSITORY / "tests" / kind / "web" for kind in ("unit", "integration"))
    files = [file.read_text(encoding="utf-8") for folder in folders for file in folder.rglob("test_*.py")]
    defined = {name for text in files for name in _DEFINITION.findall(text)}

    assert sorted(rows) == list(range(1, ATTACKS + 1))
    assert all(rows.values())
    assert set().union(*rows.values()) <= defined
