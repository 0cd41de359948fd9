"""Give back what a list has used: the C library keeps freed memory, a fifth of the process after a list of 100,000 jobs."""

import ctypes


def trim() -> bool:
    """Return free memory to the operating system; False if the C library (other than glibc) has no such function."""
    give_back = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if give_back is None:
        return False
    give_back(0)
    return True
