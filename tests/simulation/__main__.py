"""Replay seeds: `python -m simulation SEED...` from the folder `tests`, or `--up-to N` for the first N."""

import sys
import time
from collections import Counter

from simulation.world import World


def main(arguments: list[str]) -> int:
    """Run the seeds, and print the failures."""
    seeds = range(int(arguments[1])) if arguments[:1] == ["--up-to"] else [int(each) for each in arguments]
    began = time.perf_counter()
    failures: Counter[str] = Counter()
    for seed in seeds:
        try:
            World(seed).run()
        except Exception as error:  # noqa: BLE001 - whatever the core raises is a finding
            what = str(error) if len(seeds) == 1 else str(error).rsplit("\n", 1)[-1]
            failures[type(error).__name__] += 1
            sys.stdout.write(f"seed {seed}: {type(error).__name__}: {what}\n")
    seconds = time.perf_counter() - began
    sys.stdout.write(f"{len(seeds)} seeds, {failures.total()} failed, {seconds:.1f} s\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
