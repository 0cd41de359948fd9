"""Run the fast tests on a copy of the tree: once without a mutation for the record, then on each mutant."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mutation import recorder
from mutation.mutants import Mutant
from mutation.record import Record
from mutation.sandbox import HUNG, Limits, Sandbox

JUDGES = (
    "tests/unit/core",
    "tests/unit/kube",
    "tests/unit/daemon",
    "tests/unit/controller",
    "tests/component/daemon",
    "tests/simulation",
)
"""The fast tests of the mutated packages and of what drives them; none needs a control plane."""
ENVIRONMENT = {"PROVISIONER_SIMULATION_SEEDS": "50", "PYTHONHASHSEED": "0"}
"""Two chunks of simulated clusters: what they do not notice, a thousand rarely do."""

_PYTEST = ("-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-seed=0")
_RECORD_LIMITS = Limits(wall=7200.0, cpu=3600.0)
_START_SECONDS, _PATIENCE = 30.0, 5.0
"""A mutant may take this much CPU time to start its tests, and so many times what the record took to run them."""
_SHARE = 0.1
"""Of a CPU, that the tests get on a busy machine: without any, a mutant that waits forever is stopped by the clock."""
_PASSED, _NO_TESTS = 0, 5
"""Exit codes of pytest."""


class JudgeError(Exception):
    """The tests could not judge, and the message says why."""


class Outcome(StrEnum):
    """Whether the tests noticed a mutant."""

    NOTICED = "noticed"
    HUNG = "hung"
    """The tests did not end, which nobody would miss."""
    SURVIVED = "survived"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgment on one mutant."""

    mutant: Mutant
    diff: str
    outcome: Outcome
    tests: tuple[str, ...]
    """The tests that were asked."""
    seconds: float
    output: str
    """The last run's output."""


def record(sandbox: Sandbox, result: Path) -> Record:
    """Run the tests without a mutation, and record the lines that each runs."""
    written = sandbox.copy.scratch / "record.json"
    output = sandbox.copy.scratch / "record.log"
    environment = {recorder.FOLDER: str(sandbox.copy.package), recorder.RESULT: str(written)}
    judges = [each for each in JUDGES if (sandbox.copy.root / each).is_dir()]
    command = [sys.executable, *_PYTEST, "-p", "mutation.recorder", *judges]
    if sandbox.run(command, ENVIRONMENT | environment, _RECORD_LIMITS, output) != _PASSED:
        tail = output.read_text(encoding="utf-8", errors="replace")[-4000:]
        raise JudgeError(f"The tests fail without a mutation, so they cannot judge one:\n{tail}")
    result.parent.mkdir(parents=True, exist_ok=True)
    result.write_bytes(written.read_bytes())
    return Record.load(result)


def judge(mutant: Mutant, tests: Record, sandbox: Sandbox) -> Verdict:
    """Run the tests that can notice the mutant, group by group until one fails."""
    began = time.monotonic()
    groups = tests.tests_of(mutant, sandbox.copy.package)
    diff = mutant.diff((sandbox.copy.package / mutant.path).read_bytes())
    outcome, output, asked = Outcome.SURVIVED, "", list[str]()
    with sandbox.copy.mutated(mutant):
        for group in groups:
            asked += group
            cpu = _START_SECONDS + _PATIENCE * sum(tests.seconds[test] for test in group)
            outcome, output = _run(group, Limits(wall=cpu / _SHARE, cpu=cpu), sandbox)
            if outcome is not Outcome.SURVIVED:
                break
    return Verdict(mutant, diff, outcome, tuple(asked), time.monotonic() - began, output)


def _run(group: Sequence[str], limits: Limits, sandbox: Sandbox) -> tuple[Outcome, str]:
    listed, log = sandbox.copy.scratch / "tests", sandbox.copy.scratch / "log"
    listed.write_text("\n".join(group), encoding="utf-8")
    # Compiled files are not written: those of the unchanged tree stay valid for the next mutant.
    environment = ENVIRONMENT | {"PYTHONDONTWRITEBYTECODE": "1"}
    code = sandbox.run([sys.executable, *_PYTEST, "-x", f"@{listed}"], environment, limits, log)
    output = log.read_text(encoding="utf-8", errors="replace")
    if code == _NO_TESTS:
        raise JudgeError(f"No tests were found:\n{output}")
    outcome = {_PASSED: Outcome.SURVIVED, HUNG: Outcome.HUNG}.get(code, Outcome.NOTICED)
    return outcome, output
