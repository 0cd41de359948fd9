"""Memory that is free in the process is given back to the operating system."""

import platform

import psutil
import pytest

from provisioner_operator.web.index.memory import trim


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is asked for it")
def test_free_memory_between_what_is_in_use_is_given_back() -> None:
    blocks = [bytearray(2000) for _ in range(50_000)]
    kept = blocks[::500]
    del blocks
    before = psutil.Process().memory_info().rss

    assert trim()

    assert before - psutil.Process().memory_info().rss > 50_000_000
    assert len(kept) == 100
