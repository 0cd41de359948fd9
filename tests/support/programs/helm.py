"""Helm 3 and Helm 4, as users run them on the product's chart."""

import functools
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from chart.build import CHART
from chart.kustomize import parsed
from provisioner_devcluster.build.engines import EngineImpossibleError, find_engine
from provisioner_devcluster.build.go_modules import HELM_3, HELM_4, GoModule
from support.cluster.kubectl import Answer
from support.manifests import Manifest

RELEASE = "provisioner"
SYSTEM = "provisioner-system"
CALL_TIMEOUT = 600
"""Timeout in seconds; an installation takes a few on a quiet machine."""
MAJORS = {3: HELM_3, 4: HELM_4}


@dataclass(frozen=True, slots=True)
class Helm:
    """One of the two Helms, with its files in a folder of its own."""

    program: Path
    major: int
    folder: Path
    kubeconfig: Path | None = None
    namespace: str = SYSTEM

    def attempt(self, *arguments: str) -> Answer:
        """Run Helm, which may fail."""
        done = subprocess.run(
            [str(self.program), *arguments],
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=CALL_TIMEOUT,
            env={
                **os.environ,
                "KUBECONFIG": str(self.kubeconfig or self.folder / "none"),
                "HELM_NAMESPACE": self.namespace,
                "GOGC": "400",  # a call is over before most of its garbage matters
                **{f"HELM_{kind}_HOME": str(self.folder / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")},
            },
        )
        return Answer(arguments, done.returncode, done.stdout, done.stderr)

    def run(self, *arguments: str) -> str:
        """Run Helm, which must succeed, and return its output."""
        answer = self.attempt(*arguments)
        assert answer.ok, f"helm{self.major}: {answer}"
        return answer.stdout

    def objects(self, *, hooks: bool = False, **values: Any) -> list[Manifest]:
        """Return the objects that the chart yields with these values."""
        text = self.run("template", RELEASE, str(CHART), *([] if hooks else ["--no-hooks"]), *self.given(values))
        return parsed(text)

    def given(self, values: Mapping[str, Any]) -> list[str]:
        """Return the arguments that pass these values."""
        file = self.folder / "values.yaml"
        file.write_text(yaml.safe_dump(dict(values)), encoding="utf-8")
        return [f"--values={file}"]


@functools.cache
def helm_program(major: int) -> Path:
    """Return the program; skip the test where there is none, or fail it in CI."""
    module: GoModule = MAJORS[major]
    try:
        return find_engine(module)
    except EngineImpossibleError as error:
        pytest.skip(f"Helm {major} cannot be built here: {error}")
