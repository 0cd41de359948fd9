"""Every command of ours that a page names exists, with its options and choices."""

from pathlib import Path

import pytest

from support.manifests import REPOSITORY
from unit.docs.commands import command_lines, simple_commands, wrong_commands
from unit.docs.pages import Page, name_of, page_paths, read

README = REPOSITORY / "README.md"


@pytest.mark.parametrize("path", page_paths(), ids=name_of)
def test_every_command_of_a_page_exists(path: Path) -> None:
    assert list(wrong_commands(read(path))) == []


@pytest.mark.parametrize(
    "text",
    [
        "`make no-such-target`",
        "```\nmake demo nonsense\n```",
        "```sh\n$ kubectl provisioner jobs explain dev-7\n```",
        "`kubectl provisioner jobs why --all dev-7`",
        "`jobs explain`",
        "`provisioner jobs list --status running --nonsense`",
        "`provisioner jobs wait dev-7 --for exploded`",
        "`provisioner match --provisioner pulumi`",
        "`provisioner nonsense`",
        "```\nkubectl provisioner jobs \\\n  why dev-7 --nonsense\n```",
        "```\nkubectl get pj | provisioner nonsense\n```",
        "```\nKUBECONFIG=x kubectl provisioner nonsense\n```",
        "```\nprovisioner-daemon run --labels a=b\n```",
        "```\nprovisioner-daemon run --capacity 0\n```",
        "`provisioner-operator serve`",
        "`.venv/bin/provisioner-devcluster up --nonsense`",
        "`make bench ARGS=--nonsense`",
        "`--nonsense`",
        "| a |\n|---|\n| `make nonsense` |",
        "- in a list:\n  ```\n  make nonsense\n  ```",
    ],
)
def test_a_command_that_does_not_exist_is_found(text: str) -> None:
    assert list(wrong_commands(Page.parse(text, README)))


@pytest.mark.parametrize(
    "text",
    [
        "`make demo`",
        '`make unit PYTEST_ARGS="-k simulation"`',
        "`kubectl provisioner …`",
        "`kubectl provisioner jobs cancel dev-7 --reason 'wrong region' --wait`",
        "`jobs why`",
        "`jobs`",
        "`provisioner jobs ls`",
        "```\nprovisioner completion [OPTIONS] {bash|zsh|fish}\n```",
        "```\nsource <(provisioner completion zsh)   # a comment: provisioner nonsense\n```",
        "```\nprovisioner-daemon run --kubeconfig there-is-no-such.file --tag a=b\n```",
        "```yaml\nmake: nonsense\n```",
        "`make bench ARGS=--quick`",
        "`provisioner --debug jobs list`",
        "`--server-side`",
        "It's `jobs why`, isn't it?",
    ],
)
def test_a_good_command_is_not_complained_about(text: str) -> None:
    assert list(wrong_commands(Page.parse(text, README))) == []


def test_a_line_falls_into_its_commands() -> None:
    line = "kubectl get pj dev-7 -o jsonpath='{.status.message}' | provisioner help && make demo  # and so on"
    assert list(simple_commands(line)) == [
        ["kubectl", "get", "pj", "dev-7", "-o", "jsonpath={.status.message}"],
        ["provisioner", "help"],
        ["make", "demo"],
    ]


def test_the_pages_hold_many_commands_of_ours() -> None:
    """Or else the checks above look at nothing."""
    lines = [line for path in page_paths() for line in command_lines(read(path))]
    assert sum(line.strip().startswith("kubectl provisioner ") for line in lines) > 40
    assert sum(line.strip().startswith("make ") for line in lines) > 20


@pytest.mark.parametrize("path", page_paths(), ids=name_of)
def test_a_page_about_the_demo_puts_its_programs_on_the_path_before_it_uses_them(path: Path) -> None:
    _, uses_demo, steps = path.read_text(encoding="utf-8").partition(".state/demo")
    if not uses_demo or "kubectl provisioner" not in steps:
        return

    before, _, _ = steps.partition("kubectl provisioner")
    assert "$PWD/.venv/bin" in before
