"""Python's garbage collector, kept away from what is no garbage.

It looks for cycles by walking over all that lives, again and again while that grows. The mirror's records are hundreds of
thousands of objects, live long, and form no cycles: walking over them made a list of 100,000 jobs three times as slow, and
stopped the loop for up to a second at a time.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_NEW_OBJECTS = 20_000
"""So many new objects make a look through them worth while; Python's own choice is 700."""


@contextmanager
def gc_paused() -> Iterator[None]:
    """What is made meanwhile, and all that there is, will not be looked through; what is made afterwards will, seldom."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])
