"""Filters of the list of jobs, as the page's address has them."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.enums import JobType, Phase
from provisioner_operator.web.index.query import Cursor, JobQuery
from provisioner_operator.web.page.jobs.filters import (
    SINCE,
    SIZES,
    STATUSES,
    STUCK,
    JobFilter,
    chips,
    parse_filter,
    toggled,
)
from provisioner_operator.web.words import TYPE_OF
from support.builders.core import NOON

words = st.text(alphabet="abc <&=/?%", min_size=1, max_size=6).map(str.strip)
filters = st.builds(
    JobFilter,
    statuses=st.sets(st.sampled_from([STUCK, *STATUSES])).map(
        lambda chosen: tuple(each for each in [STUCK, *STATUSES] if each in chosen)
    ),
    text=words,
    type=st.sampled_from(["", *TYPE_OF]),
    template=words,
    workspace=words,
    daemon=words,
    tags=st.sets(st.sampled_from(["a=b", "os=linux", "x=1=2"])).map(lambda tags: tuple(sorted(tags))),
    initiator=words,
    since=st.sampled_from(["", *SINCE]),
    size=st.sampled_from(SIZES),
)


def read(address: str) -> JobFilter:
    return parse_filter(parse_qsl(urlsplit(address).query))


@given(filters)
def test_an_address_has_all_of_a_filter(current: JobFilter) -> None:
    assert read(current.address("/jobs")) == current


@given(filters)
def test_removing_each_chip_leaves_no_filter(current: JobFilter) -> None:
    steps = 0
    while found := chips(current, "/jobs"):
        current = read(found[0].without)
        steps += 1
        assert steps < 30
    assert not current.is_filtered


def test_another_filter_begins_on_the_first_page() -> None:
    later = JobFilter(before="1.0_uid")
    assert "before" not in later.address("/jobs", text="dev")
    assert "before=2.0_x" in later.address("/jobs", before="2.0_x")


def test_a_filter_is_a_query_of_the_index() -> None:
    current = parse_filter(
        [
            ("status", "pending"),
            ("status", "stuck"),
            ("q", " dev "),
            ("type", "workspace_plan"),
            ("tag", "os=linux"),
            ("since", "1h"),
            ("before", "5.5_uid"),
        ]
    )
    assert current.query(NOON) == JobQuery(
        phases=frozenset({Phase.PENDING}),
        stuck=True,
        text="dev",
        types=frozenset({JobType.WORKSPACE_PLAN}),
        tags=frozenset({("os", "linux")}),
        since=NOON - 3600,
        before=Cursor(5.5, "uid"),
    )


@pytest.mark.parametrize(
    "pair",
    [
        ("status", "unknown"),
        ("type", "WorkspaceBuild"),
        ("since", "soon"),
        ("limit", "7"),
        ("before", "x"),
        ("before", "x_y"),
        ("tag", "os"),
        ("tag", "scope=user"),
        ("color", "red"),
    ],
)
def test_what_means_nothing_is_reported_and_ignored(pair: tuple[str, str]) -> None:
    found = parse_filter([pair])
    assert found.ignored == ("=".join(pair),)
    assert not found.is_filtered


def test_an_empty_field_of_the_form_is_no_filter() -> None:
    assert parse_filter([("q", " "), ("type", ""), ("notice", "canceled")]) == JobFilter()


def test_a_place_in_the_list_survives_the_address() -> None:
    place = Cursor(1_800_000_000.25, "0b2c-4")
    assert Cursor.parse(place.text) == place


def test_a_status_that_is_chosen_alone_can_be_taken_back() -> None:
    assert toggled((), "pending") == ("pending",)
    assert toggled(("pending", "failed"), "pending") == ("pending",)
    assert toggled(("pending",), "pending") == ()


def test_another_size_of_pages_is_a_chip_too() -> None:
    (chip,) = chips(JobFilter(size=100), "/jobs")
    assert (chip.label, chip.value, chip.without) == ("On a page", "100 jobs", "/jobs")
