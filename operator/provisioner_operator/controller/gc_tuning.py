"""Tuning of Python's garbage collector for a process that keeps hundreds of thousands of objects.

The collector looks for cycles by walking over all objects, again and again while their number grows. The reconcilers'
records live long and form no cycles: walking over them tripled the time of listing 100,000 jobs, and stopped the event
loop for up to a second at a time.
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
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])
