"""A controller beside the product either runs until the end, or its own last words say why not."""

import sys
from collections.abc import Sequence

import psutil
import pytest

from bench.client import BenchError
from bench.peers.process import running

WAITING = (
    sys.executable,
    "-c",
    "import sys; print('ready', flush=True); sys.stdin.read(); import time; time.sleep(600)",
)


def exiting(words: str) -> Sequence[str]:
    return (sys.executable, "-c", f"print({words!r}); raise SystemExit(3)")


def test_a_controller_that_runs_is_ended_after_its_measurement() -> None:
    with running("peer", WAITING) as pid:
        assert pid > 0


def test_a_program_that_does_not_exist_is_named() -> None:
    with pytest.raises(BenchError, match="The command of peer does not start"), running("peer", ["/no/such/program"]):
        pytest.fail("it runs")


def test_an_exit_is_told_with_the_last_words_instead_of_what_it_prevented() -> None:
    with pytest.raises(BenchError, match=r"(?s)peer exited unexpectedly, with exit code 3.*no such kind"):
        fail_after_exit()


def fail_after_exit() -> None:
    with running("peer", exiting("no such kind")) as pid:
        await_end(pid)
        raise BenchError("1 of 1 jobs never showed status.phase")


def test_an_exit_fails_a_measurement_that_did_not_notice_it() -> None:
    with pytest.raises(BenchError, match="exited unexpectedly"), running("peer", exiting("")) as pid:
        await_end(pid)


def test_a_failed_measurement_of_a_running_controller_keeps_its_reason() -> None:
    with pytest.raises(BenchError, match="never showed"), running("peer", WAITING):
        raise BenchError("1 of 1 jobs never showed status.phase")


def await_end(pid: int) -> None:
    process = psutil.Process(pid)
    while process.status() != psutil.STATUS_ZOMBIE:
        pass
