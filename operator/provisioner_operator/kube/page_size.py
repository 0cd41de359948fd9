"""The number of objects to ask for in the next page of a list, so that no page takes much memory.

The API server counts a page by objects, of which one job may have 2 kB and another a source of 512 KiB. Pure; used by
`client`, which ends the reading of a page that is larger than expected.
"""

MOST_OBJECTS = 500
"""Objects per page of small ones, the same as kubectl's."""
_FIRST_OBJECTS = 16
"""Few, since nothing is known of their size yet: these fit into a page even if each has a source of the largest size."""
_GROWTH = 4
_WANTED_BYTES = 8 * 1024 * 1024
LONGEST_PAGE = 2 * _WANTED_BYTES
"""Bytes after which the reading of a page of several objects ends: it is asked for again with fewer."""


class PageSize:
    """Adapts to the size of the last page, carefully upwards: the next objects may be larger."""

    def __init__(self, most: int = MOST_OBJECTS) -> None:
        """`most` is the number of objects that no page exceeds."""
        self._most = most
        self.objects = _FIRST_OBJECTS
        """Objects to ask for."""

    def fitted(self, objects: int, size: int) -> None:
        """Adapt to a page of so many objects and bytes."""
        if objects:
            fitting = max(_WANTED_BYTES * objects // size, 1)
            self.objects = min(fitting, self.objects * _GROWTH, self._most)

    def overflowed(self) -> None:
        """Ask for fewer objects: the page was longer than `longest`."""
        self.objects = max(self.objects // _GROWTH, 1)

    @property
    def longest(self) -> int | None:
        """Bytes of the longest page that is accepted; None for a single object, which has to be read whatever its size."""
        return LONGEST_PAGE if self.objects > 1 else None
