"""Compare the declarations that an import reads with those that OpenTofu reads, for generated modules that it accepts."""

import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

from component.daemon.terraform.generated_modules import generate
from provisioner_devcluster.build.go_build import build
from provisioner_devcluster.build.go_modules import OPENTOFU
from provisioner_operator.daemon.terraform.declarations import Declarations

FILES = 150
SEED = int(os.environ.get("PROVISIONER_DECLARATIONS_SEED", "1"))


def tofu(folder: Path, *arguments: str) -> Any:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TF_CLI_CONFIG_FILE": os.devnull}
    # Terraform has no `show -module`, and may be the one on the PATH.
    command = [str(build(OPENTOFU)), *arguments]
    answer = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=300, check=False)
    assert answer.stdout, answer.stderr.decode()
    return json.loads(answer.stdout)


def keep_what_is_valid(folder: Path) -> None:
    """Remove the files that `validate` blames until it accepts the module: one fault hides others."""
    while not (answer := tofu(folder, "validate", "-json"))["valid"]:
        for diagnostic in answer["diagnostics"]:
            if diagnostic["severity"] == "error":
                (folder / diagnostic["range"]["filename"]).unlink(missing_ok=True)


def test_what_tofu_accepts_is_read_as_tofu_reads_it(tmp_path: Path) -> None:
    numbers = random.Random(SEED)
    for number in range(FILES):
        (tmp_path / f"f{number}.tf").write_bytes(generate(numbers, number).encode())
    keep_what_is_valid(tmp_path)
    found = Declarations()
    files = sorted(tmp_path.glob("*.tf"))
    assert len(files) > FILES / 10
    for file in files:
        found.read(file.name, file.read_bytes().decode())
    module = tofu(tmp_path, "show", "-json", "-module=.")["root_module"]
    assert set(found.resources) == {each["address"] for each in module["resources"]}
    assert set(found.variables) == set(module["variables"])
    for name, expected in module["variables"].items():
        variable = found.variables[name]
        assert variable.required == expected.get("required", False), name
        assert variable.sensitive == expected.get("sensitive", False), name
        assert variable.description == expected.get("description", "").replace("\r\n", "\n").rstrip("\n"), name
