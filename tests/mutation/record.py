"""The tests that can notice a mutant: those that run its line, by a record of a run without any mutation."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from mutation.mutants import Mutant


@dataclass(frozen=True, slots=True)
class Record:
    """The lines of a package that each test runs."""

    seconds: dict[str, float]
    """Time of each test, by its id."""
    lines: dict[str, dict[int, frozenset[str]]]
    """Tests by file and line; without those lines that run only when their module is imported."""

    @classmethod
    def load(cls, file: Path) -> "Record":
        """Read what the recorder wrote."""
        data = json.loads(file.read_text(encoding="utf-8"))
        tests = data["tests"]
        lines = {
            path: {int(line): frozenset(tests[number] for number in numbers) for line, numbers in each.items()}
            for path, each in data["lines"].items()
        }
        return cls(dict(zip(tests, data["seconds"], strict=True)), lines)

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
