"""The style sheet: sizes come from its scales."""

import re

import pytest

from provisioner_operator.web.page.rendering import static_files

SHEET = static_files()["page.css"].decode()
RULES = re.sub(r"/\*.*?\*/", "", SHEET, flags=re.DOTALL)


def values(*properties: str) -> list[str]:
    names = "|".join(properties)
    return [found[1].strip() for found in re.finditer(rf"(?<![-\w])(?:{names}):\s*([^;}}]+)", RULES)]


def test_text_and_icons_have_the_sizes_of_their_scales() -> None:
    for value in values("font-size"):
        assert re.fullmatch(r"var\(--[ti]\d\)|inherit", value)
    for value in values("font"):
        assert value == "inherit" or re.match(r"var\(--t\d\)/", value)


@pytest.mark.parametrize("prefix", ["t", "i", "s"])
def test_a_scale_is_used_from_end_to_end(prefix: str) -> None:
    defined = set(re.findall(rf"--({prefix}\d):", RULES))
    assert defined == set(re.findall(rf"var\(--({prefix}\d)\)", RULES))


def test_distances_are_those_of_the_scale_or_hairlines() -> None:
    distances = values("gap", "column-gap", r"padding(?:-\w+)?", r"margin(?:-\w+)?")
    for value in distances:
        for part in re.sub(r"calc\([^)]*\)\)", "calc", value.replace("!important", "")).split():
            assert re.fullmatch(r"var\(--s\d\)|calc|0|auto|-?[12]px", part), value


def test_colors_are_named_where_both_themes_stand_side_by_side() -> None:
    assert re.findall(r"(?<!light-dark\()#[0-9a-f]{3,6}\b(?![^;]*\))", RULES) == []
