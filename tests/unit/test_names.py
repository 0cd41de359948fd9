"""Names that a reader can trust: one meaning for each public name of the core, and folders small enough to survey."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "operator" / "provisioner_operator"
CORE = PACKAGE / "core"
MOST_MODULES = 25
"""In one folder: what fits on a screen."""


def public_names(source: str) -> Iterator[str]:
    """The classes, functions, constants and type aliases at the top of a module, without a leading underscore."""
    for node in ast.parse(source).body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names = [name]
            case ast.Assign(targets=targets):
                names = [each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)]
            case ast.AnnAssign(target=ast.Name(id=name)):
                names = [name]
            case _:
                names = []
        yield from (name for name in names if not name.startswith("_"))


def definitions(root: Path) -> dict[str, list[str]]:
    """The modules that define each public name."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(root.rglob("*.py")):
        for name in dict.fromkeys(public_names(path.read_text())):
            found[name].append(str(path.relative_to(root)))
    return dict(found)


def test_no_public_name_of_the_core_has_two_meanings() -> None:
    twice = {name: modules for name, modules in definitions(CORE).items() if len(modules) > 1}

    assert twice == {}


def test_all_kinds_of_definitions_are_found() -> None:
    source = "class A: ...\ndef b(): ...\nasync def c(): ...\nD = E = 1\nF: int = 2\n_g = 3\nH, I = 1, 2\n"

    assert list(public_names(source)) == ["A", "b", "c", "D", "E", "F", "H", "I"]


@pytest.mark.parametrize("tree", ["operator", "devcluster", "bench", "demo", "tests"])
def test_no_folder_holds_more_modules_than_one_can_survey(tree: str) -> None:
    modules: defaultdict[str, int] = defaultdict(int)
    for path in (ROOT / tree).rglob("*.py"):
        modules[str(path.parent.relative_to(ROOT))] += 1

    assert modules
    assert {folder: count for folder, count in modules.items() if count > MOST_MODULES} == {}
