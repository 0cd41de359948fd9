"""Run a benchmark in Go that uses the API server's own code. Needs Go, and no cluster; the first build takes minutes."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from bench.peers.process import environment_with
from provisioner_devcluster.build.go_build import BUILD_ENVIRONMENT
from provisioner_devcluster.build.go_modules import CONTROL_PLANE
from provisioner_devcluster.build.go_toolchain import find_go


def run_benchmark(file: Path, content: object, *options: str) -> int:
    """Run the benchmarks of a file, which read `content` from `input.json`, with options of `go test`; return the exit code."""
    with tempfile.TemporaryDirectory(prefix=f"{file.stem}-") as name:
        folder = Path(name)
        for each in ("go.mod", "go.sum"):
            shutil.copy(CONTROL_PLANE.directory / each, folder)
        shutil.copy(file, folder)
        (folder / "input.json").write_text(json.dumps(content), encoding="utf-8")
        command = [
            str(find_go(CONTROL_PLANE.go_version)),
            "test",
            "-mod=mod",
            "-trimpath",
            "-vet=off",
            "-run=^$",
            "-bench=.",
            *options,
        ]
        done = subprocess.run(command, cwd=folder, env=environment_with(BUILD_ENVIRONMENT), check=False)
    return done.returncode
