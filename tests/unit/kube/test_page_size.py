"""Pages are small in bytes, whatever the size of the objects, and large in objects where these are small."""

from collections.abc import Sequence

import pytest

from provisioner_operator.kube.page_size import LONGEST_PAGE, PageSize

MOST_OBJECTS = 500

KIB = 1024
LARGEST_OBJECT = 1536 * KIB
"""The largest object that etcd takes."""


def pages_of(sizes: Sequence[int]) -> list[int]:
    """Read objects of these sizes page by page; return how many each page had, 0 for one that was too long."""
    page_size, counts, at = PageSize(), [], 0
    while at < len(sizes):
        page = sizes[at : at + page_size.objects]
        if page_size.longest is not None and sum(page) > page_size.longest:
            counts.append(0)
            page_size.overflowed()
            continue
        counts.append(len(page))
        page_size.fitted(len(page), sum(page))
        at += len(page)
    return counts


SMALL, SOURCE = 2 * KIB, 530 * KIB


@pytest.mark.parametrize(
    ("sizes", "pages"),
    [
        pytest.param([SMALL] * 2000, [16, 64, 256, 500, 500, 500, 164], id="small: as many as kubectl, soon"),
        pytest.param([SOURCE] * 100, [16, *[15] * 5, 9], id="each with a source of the largest size"),
        pytest.param(
            [SMALL] * 1000 + [SOURCE] * 40, [16, 64, 256, 500, 0, 125, 0, 0, 31, 0, 31, 17], id="large ones last"
        ),
        pytest.param([SOURCE] * 16 + [SMALL] * 500, [16, 15, 60, 240, 185], id="large ones first"),
        pytest.param([LARGEST_OBJECT] * 12, [0, 4, 5, 3], id="the largest that etcd takes"),
        pytest.param([LONGEST_PAGE + 1] * 3, [0, 0, 1, 1, 1], id="one object that is longer than a page"),
        pytest.param([], [], id="none"),
    ],
)
def test_pages_fit_the_objects(sizes: Sequence[int], pages: Sequence[int]) -> None:
    assert pages_of(sizes) == pages


@pytest.mark.parametrize("step", [1, 2, 3, 7, 16, 31, 100, 499])
def test_whatever_the_order_of_sizes_no_page_is_long_and_few_are_asked_for_again(step: int) -> None:
    sizes = [LARGEST_OBJECT if n % step == 0 else SMALL for n in range(2000)]
    counts = pages_of(sizes)
    assert sum(counts) == len(sizes)
    assert max(counts) <= MOST_OBJECTS
    at = 0
    for count in counts:
        assert sum(sizes[at : at + count]) <= LONGEST_PAGE
        at += count
    assert counts.count(0) <= 1


def test_an_empty_page_says_nothing_of_sizes() -> None:
    page_size = PageSize()
    page_size.fitted(0, 100)
    assert page_size.objects == PageSize().objects


def test_only_a_single_object_may_be_of_any_size() -> None:
    page_size = PageSize()
    page_size.fitted(2, LONGEST_PAGE // 2)
    assert (page_size.objects, page_size.longest) == (2, LONGEST_PAGE)
    page_size.overflowed()
    assert (page_size.objects, page_size.longest) == (1, None)
