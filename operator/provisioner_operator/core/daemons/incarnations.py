"""Track the processes of one daemon: which are certainly gone because another one reports in their place.

News of a job may arrive before that of its daemon, so an unknown instance may be the former process or the next one.
Only an instance that was observed and then replaced, or that a fresh read of the daemon no longer finds, counts as
gone.
"""


class Instances:
    """The processes of one daemon, by the ids under which they report and acknowledge."""

    __slots__ = ("_asked", "_doubtful", "_former", "present")

    def __init__(self, present: str | None) -> None:
        self.present = present
        """Instance that reports, as last observed."""
        self._former: set[str] = set()
        self._doubtful: set[str] = set()
        self._asked: frozenset[str] = frozenset()

    def observe(self, present: str | None, *, fresh: bool) -> bool:
        """Record the instance that reports; return whether a fresh read settled open doubts."""
        if self.present is not None and self.present != present:
            self._former.add(self.present)
        self.present = present
        settled = fresh and bool(self._asked)
        if settled:
            self._former |= self._asked - {present}
            self._asked = frozenset()
        return settled

    def is_former(self, instance: str) -> bool:
        """Return whether that process is certainly gone."""
        return instance != self.present and self.present is not None and instance in self._former

    def doubt(self, instance: str) -> bool:
        """Note that a job names this process; return whether only a fresh read can show that it is gone."""
        if instance == self.present or self.present is None or instance in self._former:
            return False
        self._doubtful.add(instance)
        return True

    def ask(self) -> bool:
        """Begin a fresh read of the daemon if there is doubt; return whether there is."""
        self._asked = frozenset(self._doubtful - self._former - {self.present})
        return bool(self._asked)
