"""`make mutants`: change the code in small ways, and see which changes the fast tests do not notice.

Exits with 1 if too many mutants of a package survive, and with 2 if it cannot run.
"""

import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from queue import SimpleQueue

import click

from mutation.judge import ENVIRONMENT, JudgeError, Outcome, Verdict, judge, record
from mutation.mutants import Mutant, sample
from mutation.record import Record
from mutation.report import GOALS, describe, missed_goals, table
from mutation.sandbox import DANGEROUS, Sandbox, SandboxError, has_namespaces
from mutation.scan import mutants_of, package_mutants
from mutation.worktree import PACKAGE, REPOSITORY, copy_tree, duplicate

ROOT = REPOSITORY / PACKAGE
RECORDS = REPOSITORY / ".state" / "mutation"
"""Records of former runs."""
DEFAULT_COUNT = 100


@contextmanager
def sandboxes(count: int) -> Iterator[list[Sandbox]]:
    """Copies of the work tree that end with the block."""
    scratch = Path(tempfile.mkdtemp(prefix="mutation-")).resolve()
    scratch.chmod(0o755)  # some tests do their work as another user
    try:
        first = copy_tree(scratch / "0")
        copies = [first, *(duplicate(first, scratch / str(at)) for at in range(1, count))]
        with ExitStack() as open_until_then:
            yield [open_until_then.enter_context(closing(Sandbox(each, ENVIRONMENT))) for each in copies]
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def judge_all(mutants: Sequence[Mutant], tests: Record, free: Sequence[Sandbox]) -> Iterator[Verdict]:
    """Judge the mutants, one in each sandbox at a time, and yield each verdict when it is known."""
    idle = SimpleQueue[Sandbox]()
    for sandbox in free:
        idle.put(sandbox)

    def one(mutant: Mutant) -> Verdict:
        sandbox = idle.get()
        try:
            return judge(mutant, tests, sandbox)
        finally:
            idle.put(sandbox)

    with ThreadPoolExecutor(len(free)) as pool:
        try:
            for done in as_completed([pool.submit(one, mutant) for mutant in mutants]):
                yield done.result()
        finally:
            for sandbox in free:
                sandbox.stop()  # a judgment that is under way ends with an error, which nobody reads
            pool.shutdown(cancel_futures=True)


def chosen(packages: Sequence[str], seed: int, count: int, replay: str | None) -> list[Mutant]:
    """The mutants to judge: one by name, or a sample of each package."""
    if replay is not None:
        path = replay.partition(":")[0]
        everything = mutants_of(path, (ROOT / path).read_bytes()) if (ROOT / path).is_file() else ()
        found = [each for each in everything if each.name == replay]
        if not found:
            raise click.UsageError(f"There is no mutant {replay} in this code.")
        return found
    return [mutant for package in packages for mutant in sample(package_mutants(ROOT, package), seed, count)]


@click.command()
@click.argument("packages", nargs=-1, type=click.Choice(list(GOALS)))
@click.option("--seed", type=int, help="Choose the mutants by this number.  [default: a random one, which is printed]")
@click.option("--count", default=DEFAULT_COUNT, show_default=True, help="Mutants of each package.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 2), help="Mutants judged at a time.")
@click.option(
    "--replay", metavar="MUTANT", help="Judge this mutant only (core/jobs/ordering.py:21:drop), show the tests."
)
def main(packages: tuple[str, ...], seed: int | None, count: int, workers: int, replay: str | None) -> None:
    """Judge a sample of mutants of PACKAGES (default: all) by the fast tests."""
    seed = random.randrange(100_000) if seed is None else seed
    mutants = chosen(packages or tuple(GOALS), seed, count, replay)
    mutated = sorted({each.path.partition("/")[0] for each in mutants})
    if not DANGEROUS.isdisjoint(mutated) and not has_namespaces():
        raise click.UsageError(
            "Mutants of daemon may kill any process of this machine. They run only on Linux, as root, with unshare(1)."
        )
    click.echo(f"{len(mutants)} mutants" + ("" if replay else f", seed {seed}"), err=True)
    verdicts = []
    try:
        with sandboxes(workers) as places:
            click.echo("Recording the tests without a mutation, as far as no valid record is kept ...", err=True)
            for verdict in judge_all(mutants, record(mutated, places[0], RECORDS), places):
                verdicts.append(verdict)
                click.echo(f"{len(verdicts)}/{len(mutants)} {verdict.mutant.name} {verdict.outcome}", err=True)
                if replay or verdict.outcome is Outcome.SURVIVED:
                    click.echo(describe(verdict))
    except (JudgeError, SandboxError) as error:
        raise click.UsageError(str(error)) from error
    click.echo(verdicts[0].output if replay else table(verdicts))
    missed = [] if replay else missed_goals(verdicts)
    if missed:
        click.echo(f"Below the goal: {', '.join(missed)}. Replay a survivor with --replay NAME.")
    sys.exit(bool(missed))


def _stop(number: int, _frame: object) -> None:
    """End so that the copies are removed, once: timeout(1) sends its signal twice."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


if __name__ == "__main__":
    os.nice(10)
    signal.signal(signal.SIGTERM, _stop)
    main()
