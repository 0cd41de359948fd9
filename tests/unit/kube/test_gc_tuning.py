"""Collection is paused while the initial lists are read, and spares their objects afterwards."""

import gc
from collections.abc import Iterator

import pytest

from provisioner_operator.kube.gc_tuning import gc_paused


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """The collector of the process that runs the tests, restored at the end."""
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)
    gc.enable()


def test_nothing_is_collected_within_and_everything_is_spared_after() -> None:
    gc.set_threshold(700, 11, 12)
    rest = gc.get_threshold()[1:]
    gc.unfreeze()
    with gc_paused():
        assert not gc.isenabled()
        kept = [[number] for number in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= len(kept)
    assert gc.get_threshold() == (20_000, *rest)


def test_a_failed_attempt_turns_collection_on_again_and_spares_nothing() -> None:
    gc.unfreeze()
    with pytest.raises(ValueError, match="listing"), gc_paused():
        raise ValueError("listing")
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
