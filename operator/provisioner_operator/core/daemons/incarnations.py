"""Which processes of one daemon are certainly gone, because another reports in their place.

A job's news may overtake its daemon's: an instance that the mirror has not heard of may be the former one or the next.
So only what was once seen and then replaced, or what a fresh read of the daemon no longer finds, counts as gone.
"""


class Instances:
    """The processes of one daemon, by the ids that they report and acknowledge under."""

    __slots__ = ("_asked", "_doubtful", "_former", "present")

    def __init__(self, present: str | None) -> None:
        self.present = present
        """The one that reports, as last observed."""
        self._former: set[str] = set()
        self._doubtful: set[str] = set()
        self._asked: frozenset[str] = frozenset()

    def observe(self, present: str | None, *, fresh: bool) -> bool:
        """The daemon was seen to report as this one; True if a fresh read told about those that were asked about."""
        if self.present is not None and self.present != present:
            self._former.add(self.present)
        self.present = present
        told = fresh and bool(self._asked)
        if told:
            self._former |= self._asked - {present}
            self._doubtful -= self._asked
            self._asked = frozenset()
        return told

    def is_former(self, instance: str) -> bool:
        """Whether that process is certainly gone."""
        return instance != self.present and self.present is not None and instance in self._former

    def doubt(self, instance: str) -> bool:
        """Note that a job names this process; True if only a fresh read can tell whether it is gone."""
        if instance == self.present or self.present is None or instance in self._former:
            return False
        self._doubtful.add(instance)
        return True

    def ask(self) -> bool:
        """About to read the daemon afresh, if there is doubt: True if there is."""
        self._asked = frozenset(self._doubtful - self._former - {self.present})
        return bool(self._asked)
