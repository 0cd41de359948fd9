"""Run the fast tests on a copy of the tree: once without a mutation for the record, then on each mutant."""

import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mutation import limiter, recorder
from mutation.mutants import Mutant
from mutation.record import Record
from mutation.records import Records
from mutation.sandbox import HUNG, Limits, Sandbox

_ALL = ("tests/unit/core", "tests/unit/kube", "tests/unit/daemon", "tests/unit/controller", "tests/simulation")
JUDGES = {"core": _ALL, "daemon": ("tests/unit/daemon", "tests/component/daemon"), "kube": _ALL}
"""The fast tests of each mutated package and of what drives it; none needs a control plane."""
ENVIRONMENT = {"PROVISIONER_SIMULATION_SEEDS": "50", "PYTHONHASHSEED": "0"}
"""Two chunks of simulated clusters: what they do not notice, a thousand rarely do."""

# The limits are the sandbox's alone: a timeout of pytest counts the time in which others have the CPU.
_PYTEST = (
    *("pytest", "-q", "--no-header", "-p", "no:xdist", "-o", "timeout=0", "--hypothesis-seed=0"),
    # The process that is forked has imported pytest's plugins.
    *("-W", "ignore:Module already imported so cannot be rewritten:pytest.PytestAssertRewriteWarning"),
)
_RECORDED_AT_ONCE = 8
"""Files of tests, whose record is kept before the next are run."""
_RECORD_LIMITS = Limits(idle=600.0, cpu=3600.0)
_START_SECONDS, _TEST_SECONDS, _PATIENCE = 30.0, 5.0, 5.0
"""Tests of a mutant may take this much time to start, each this much, and so many times what it took in the record."""
_PASSED, _NO_TESTS = 0, 5
"""Exit codes of pytest."""
_TRIES = 3
"""Number of repetitions of tests whose failure a slow machine may have caused."""


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


def record(packages: Iterable[str], sandbox: Sandbox, folder: Path) -> Record:
    """Run the tests without a mutation as far as the folder has no valid record of them, and keep the lines they run."""
    records = Records(folder, sandbox.copy)
    root = sandbox.copy.root
    folders = {root / judge for package in packages for judge in JUDGES[package]}
    files = sorted(str(file.relative_to(root)) for judge in folders for file in judge.rglob("test_*.py"))
    missing = records.missing(files)
    for at in range(0, len(missing), _RECORDED_AT_ONCE):
        _record(missing[at : at + _RECORDED_AT_ONCE], records, sandbox)
    return records.load(files)


def _record(files: Sequence[str], records: Records, sandbox: Sandbox) -> None:
    written, output = sandbox.copy.scratch / "record.json", sandbox.copy.scratch / "record.log"
    environment = {recorder.FOLDER: str(sandbox.copy.package), recorder.RESULT: str(written)}
    command = [*_PYTEST, "-p", "no:cacheprovider", "-p", "mutation.recorder", *files]
    if sandbox.run(command, environment, _RECORD_LIMITS, output) not in {_PASSED, _NO_TESTS}:
        tail = output.read_text(encoding="utf-8", errors="replace")[-4000:]
        raise JudgeError(f"The tests fail without a mutation, so they cannot judge one:\n{tail}")
    records.add(files, written)


def judge(mutant: Mutant, tests: Record, sandbox: Sandbox) -> Verdict:
    """Run the tests that can notice the mutant, group by group until one fails."""
    began = time.monotonic()
    groups = tests.tests_of(mutant, sandbox.copy.package)
    diff = mutant.diff((sandbox.copy.package / mutant.path).read_bytes())
    outcome, output, asked = Outcome.SURVIVED, "", list[str]()
    for group in groups:
        asked += group
        outcome, output = _verdict({test: tests.seconds[test] for test in group}, mutant, sandbox)
        if outcome is not Outcome.SURVIVED:
            break
    return Verdict(mutant, diff, outcome, tuple(asked), time.monotonic() - began, output)


def _verdict(group: Mapping[str, float], mutant: Mutant, sandbox: Sandbox) -> tuple[Outcome, str]:
    """Ask the tests; if one of them failed that a slow machine can fail, it has to pass without the mutant."""
    listed, limits = sandbox.copy.scratch / "tests", sandbox.copy.scratch / "limits.json"
    listed.write_text("\n".join(group), encoding="utf-8")
    limits.write_text(
        json.dumps({test: _TEST_SECONDS + _PATIENCE * took for test, took in group.items()}), encoding="utf-8"
    )
    limit = _START_SECONDS + _PATIENCE * sum(group.values())
    output = ""
    for _ in range(_TRIES):
        with sandbox.copy.mutated(mutant):
            outcome, output = _run(["-x", f"@{listed}"], limit, sandbox)
        if outcome is not Outcome.NOTICED or not _depends_on_speed(output):
            return outcome, output
        without, _ = _run(["--last-failed", "--last-failed-no-failures=none", f"@{listed}"], limit, sandbox)
        if without is Outcome.SURVIVED:
            return outcome, output
    return Outcome.SURVIVED, output


def _depends_on_speed(output: str) -> bool:
    """Whether the test that failed measures real time: it waits for a program, or gave up."""
    return "Timeout" in output or re.search(r"^(FAILED|ERROR) tests/component/", output, re.MULTILINE) is not None


def _run(arguments: Sequence[str], limit: float, sandbox: Sandbox) -> tuple[Outcome, str]:
    log, cache = sandbox.copy.scratch / "log", sandbox.copy.scratch / "cache"
    environment = {limiter.SECONDS: str(sandbox.copy.scratch / "limits.json")}
    command = [*_PYTEST, "-p", "mutation.limiter", "-o", f"cache_dir={cache}", *arguments]
    code = sandbox.run(command, environment, Limits(idle=limit, cpu=limit), log)
    output = log.read_text(encoding="utf-8", errors="replace")
    if code == _NO_TESTS:
        raise JudgeError(f"No tests were found:\n{output}")
    outcome = {_PASSED: Outcome.SURVIVED, HUNG: Outcome.HUNG}.get(code, Outcome.NOTICED)
    return outcome, output
