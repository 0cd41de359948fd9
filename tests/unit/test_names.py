"""Names that a reader can trust: one meaning for each public name of the core; and folders, classes and functions of a size to survey."""

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
MOST_LINES_OF_A_CLASS, MOST_LINES_OF_A_FUNCTION = 250, 40


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


@pytest.mark.parametrize("tree", ["operator", "devcluster", "bench", "demo", "monitoring", "tests"])
def test_no_folder_holds_more_modules_than_one_can_survey(tree: str) -> None:
    modules: defaultdict[str, int] = defaultdict(int)
    for path in (ROOT / tree).rglob("*.py"):
        modules[str(path.parent.relative_to(ROOT))] += 1

    assert modules
    assert {folder: count for folder, count in modules.items() if count > MOST_MODULES} == {}


def too_long(source: str) -> dict[str, int]:
    """The classes and functions that are longer than they may be, with their lines."""
    found = {}
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.ClassDef(name=name):
                most = MOST_LINES_OF_A_CLASS
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                most = MOST_LINES_OF_A_FUNCTION
            case _:
                continue
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > most:
            found[name] = lines
    return found


@pytest.mark.parametrize("tree", ["operator", "devcluster", "bench", "demo", "monitoring"])
def test_no_class_or_function_is_too_long_to_be_read_at_once(tree: str) -> None:
    found = {str(path.relative_to(ROOT)): too_long(path.read_text()) for path in sorted((ROOT / tree).rglob("*.py"))}

    assert found
    assert {path: names for path, names in found.items() if names} == {}


def test_what_is_too_long_is_found() -> None:
    body = "    x = 1\n" * MOST_LINES_OF_A_FUNCTION
    nested = "".join(f"    def m{number}(self):\n        pass\n" for number in range(MOST_LINES_OF_A_CLASS // 2))

    assert too_long(f"def f():\n{body}") == {"f": MOST_LINES_OF_A_FUNCTION + 1}
    assert too_long(f"class A:\n    x = 1\n{nested}") == {"A": MOST_LINES_OF_A_CLASS + 2}
    assert too_long("def f():\n    pass\n") == {}
