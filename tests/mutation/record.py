"""The tests that can notice a mutant: those that run its line, by a record of a run without any mutation."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mutation.mutants import Mutant


@dataclass(frozen=True, slots=True)
class Record:
    """The lines of a package that each test runs."""

    seconds: dict[str, float]
    """Time of each test, by its id."""
    lines: Mapping[str, Mapping[int, AbstractSet[str]]]
    """Tests by file and line; without those lines that run only when their module is imported."""

    @classmethod
    def joined(cls, parts: Iterable[dict[str, Any]]) -> "Record":
        """Join the recorder's results about several files of tests."""
        seconds: dict[str, float] = {}
        lines: defaultdict[str, defaultdict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        for part in parts:
            seconds |= part["tests"]
            tests = list(part["tests"])
            for path, of_file in part["lines"].items():
                for line, numbers in of_file.items():
                    lines[path][int(line)].update(tests[number] for number in numbers)
        return cls(seconds, lines)

    def tests_of(self, mutant: Mutant, root: Path) -> list[list[str]]:
        """The tests that judge the mutant, in groups to be run one after the other until one fails.

        First those of its own room, then the others that run the line, then those that start the room's programs: their
        lines run in processes which no record sees.
        """
        running = self._running(mutant, root)
        near = f"/{Path(mutant.path).parent.as_posix()}/"
        programs = {test for test in self.seconds if test.startswith("tests/component/")}
        if running:
            programs = {test for test in programs if near in test}
        own = {test for test in running if near in test}
        groups = (own, running - own, programs - running)
        return [sorted(group, key=lambda test: (self.seconds[test], test)) for group in groups if group]

    def _running(self, mutant: Mutant, root: Path) -> set[str]:
        first, last = mutant.statement
        running = self._of_lines(mutant.path, set(range(first, last + 1)))
        if running:
            return running
        # The line runs at import, if at all: its value is noticed where its name is used, or else anywhere in the file.
        lines = (root / mutant.path).read_text(encoding="utf-8").splitlines()
        if named := re.match(r"\s*(\w+)(: [^=]+)? = ", lines[first - 1]):
            running = self._naming(re.compile(rf"\b{named[1]}\b"), root)
        return running or self._of_lines(mutant.path, set(self.lines.get(mutant.path, {})))

    def _naming(self, name: re.Pattern[str], root: Path) -> set[str]:
        running: set[str] = set()
        for path in self.lines:
            lines = (root / path).read_text(encoding="utf-8").splitlines()
            running |= self._of_lines(path, {number for number, line in enumerate(lines, 1) if name.search(line)})
        return running

    def _of_lines(self, path: str, lines: set[int]) -> set[str]:
        of_file = self.lines.get(path, {})
        return {test for line in lines & of_file.keys() for test in of_file[line]}
