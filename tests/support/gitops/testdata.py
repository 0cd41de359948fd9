"""The tests of the customizations in the layout of Argo CD's own repository, from the product's objects and requests."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from typing_extensions import override

from support.gitops.argocd_config import CUSTOMIZATIONS, actions_of
from support.gitops.objects import KINDS, JudgedObject
from support.gitops.requests import RETRY, changed_by, is_possible
from support.manifests import Manifest

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "ProvisionerJob": (
        "unobserved",
        "pending-no-matching-daemon",
        "pending-suspended",
        "running",
        "canceling",
        "completed",
        "failed-run-failed",
        "canceled-stopped",
    ),
    "Workspace": (
        "unobserved",
        "pending-build-waiting-under-way",
        "running-up-to-date-ready",
        "stopped-up-to-date-ready",
        "failed-build-failed-stalled",
        "changed",
        "autostopped",
    ),
    "WorkspaceTemplate": ("unobserved", "importing-under-way", "imported-ready", "import-failed-stalled"),
    "ProvisionerPool": ("unobserved", "ready", "scaling-up", "pods-failing"),
    "ProvisionerQueue": ("unobserved", "in-force"),
    "ProvisionerDaemon": ("idle", "draining", "offline"),
}
"""The objects that are kept beside the scripts; the product's tests use all others, too."""
ICONS = {
    "cancel": "ban",
    "force-cancel": "bolt",
    "suspend": "pause",
    "resume": "play",
    "retry": "redo",
    "start": "play",
    "stop": "stop",
    "rebuild": "redo",
    "reimport": "sync",
    "cordon": "pause",
    "uncordon": "play",
}


def files_of_tests() -> dict[Path, str]:
    """Return the content of each file of the tests."""
    files: dict[Path, str] = {}
    for kind, names in EXAMPLES.items():
        by_name = {each.name: each for each in KINDS[kind]()}
        examples = [by_name[name] for name in names]
        files |= dict(_health_tests(CUSTOMIZATIONS / kind, examples))
        if actions := actions_of(kind):
            files |= dict(_action_tests(CUSTOMIZATIONS / kind / "actions", actions, examples))
    return files


def discovered(body: Manifest, actions: list[str]) -> list[Manifest]:
    """Return the actions in the order of their names, as Argo CD should offer them."""
    offered = []
    for action in sorted(actions):
        disabled = {} if is_possible(action, body) else {"disabled": True}
        offered.append({"name": action, **disabled, "iconClass": f"fa fa-fw fa-{ICONS[action]}"})
    return offered


def _health_tests(folder: Path, examples: list[JudgedObject]) -> Iterator[tuple[Path, str]]:
    tests = []
    for each in examples:
        yield folder / "testdata" / f"{each.name}.yaml", _dump(each.body)
        health = {"status": each.health, "message": each.message}
        tests.append({"healthStatus": health, "inputPath": f"testdata/{each.name}.yaml"})
    yield folder / "health_test.yaml", _dump({"tests": tests})


def _action_tests(folder: Path, actions: list[str], examples: list[JudgedObject]) -> Iterator[tuple[Path, str]]:
    discoveries, runs = [], []
    for each in examples:
        yield folder / "testdata" / f"{each.name}.yaml", _dump(each.body)
        discoveries.append({"inputPath": f"testdata/{each.name}.yaml", "result": discovered(each.body, actions)})
    for action in actions:
        example = next(each for each in examples if is_possible(action, each.body))
        output = f"testdata/{example.name}-{action}.yaml"
        yield folder / output, _dump(_output(action, example.body))
        runs.append({"action": action, "inputPath": f"testdata/{example.name}.yaml", "expectedOutputPath": output})
    yield folder / "action_test.yaml", _dump({"discoveryTests": discoveries, "actionTests": runs})


def _output(action: str, body: Manifest) -> Any:
    changed = changed_by(action, body)
    return [{"k8sOperation": "create", "unstructuredObj": changed}] if action == RETRY else changed


class _Dumper(yaml.SafeDumper):
    """Writes values as they are, without anchors."""

    @override
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _dump(content: Any) -> str:
    text: str = yaml.dump(_plain(content), Dumper=_Dumper, sort_keys=False, width=1000)
    return text


def _plain(content: Any) -> Any:
    """Return the content with the strings of enumerations as plain ones."""
    if isinstance(content, dict):
        return {str(key): _plain(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(each) for each in content]
    return str(content) if isinstance(content, str) else content
