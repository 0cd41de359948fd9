"""Tuning of Python's garbage collector for a process that keeps hundreds of thousands of objects.

The collector looks for cycles by walking over all objects, again and again while their number grows. What is listed, and
the program itself, live long and form no cycles: walking over them tripled the time in which the controller lists 100,000
jobs, and stopped event loops for up to a second at a time.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_NEW_OBJECTS = 20_000
"""The number of new objects after which a collection pays off here; Python's default is 700."""


@contextmanager
def gc_paused() -> Iterator[None]:
    """Pause collection within the block; afterwards, collect rarely and never walk over the objects that exist by then."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
    # Only after a success: what a failed attempt leaves behind is garbage that has to be found.
    spare_present_objects()


def spare_present_objects() -> None:
    """Never walk over the objects that exist by now, and collect rarely from now on."""
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])
