"""The command refuses what it cannot do, before it copies or runs anything."""

import pytest
from click.testing import CliRunner, Result

from mutation.__main__ import chosen, main


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture(scope="module")
def name() -> str:
    """Name of a mutant of the daemon; to list all of them takes seconds."""
    return chosen(["daemon"], 1, 1, None)[0].name


@pytest.mark.parametrize("arguments", [("daemon",), ("--replay", "daemon/execution/contact.py:1:drop"), ()])
def test_mutants_of_the_daemon_are_refused_without_namespaces(
    arguments: tuple[str, ...], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mutation.__main__.has_namespaces", lambda: False)
    monkeypatch.setattr("mutation.__main__.sandboxes", lambda _: pytest.fail("something would have run"))
    refused = run(*(name if each.endswith(":drop") else each for each in arguments))

    assert refused.exit_code == 2
    assert "only on Linux, as root" in refused.output


def test_a_name_that_no_mutant_has_is_refused() -> None:
    refused = run("--replay", "core/jobs/ordering.py:1:boundary")

    assert refused.exit_code == 2
    assert "There is no mutant core/jobs/ordering.py:1:boundary" in refused.output


def test_a_package_without_a_goal_is_refused() -> None:
    assert run("cli").exit_code == 2


def test_each_package_is_sampled_and_each_mutant_found_again_by_its_name() -> None:
    mutants = chosen(["core", "kube"], 7, 3, None)

    assert [each.path.partition("/")[0] for each in mutants] == ["core"] * 3 + ["kube"] * 3
    assert [chosen([], 7, 3, each.name) for each in mutants] == [[each] for each in mutants]
