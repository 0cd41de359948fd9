"""Only the most frequent label values have time series, and their number is limited, whatever users invent."""

from provisioner_operator.controller.telemetry.frequent_labels import FrequentLabels, Values


def labels(limit: int = 2) -> tuple[FrequentLabels, list[Values]]:
    retired: list[Values] = []
    return FrequentLabels(limit, retired.append), retired


def test_the_first_ones_are_shown_and_later_ones_are_other() -> None:
    frequent, retired = labels()
    assert [frequent.of("acme", name) for name in ("one", "two", "three", "one")] == [
        ("acme", "one"),
        ("acme", "two"),
        ("other", "other"),
        ("acme", "one"),
    ]
    assert retired == []


def test_one_that_is_clearly_more_frequent_takes_the_place_of_the_rarest() -> None:
    frequent, retired = labels()
    for name in ("rare", "usual", "usual", "usual"):
        frequent.of(name)
    assert [frequent.of("new") for _ in range(4)] == [("other",), ("other",), ("new",), ("new",)]
    assert retired == [("rare",)]
    assert frequent.of("rare") == ("other",)


def test_two_of_the_same_frequency_do_not_take_turns() -> None:
    frequent, retired = labels(1)
    for _ in range(100):
        frequent.of("one")
        frequent.of("two")
    assert retired == []


def test_what_was_frequent_long_ago_makes_room() -> None:
    frequent, retired = labels(1)
    for _ in range(64):
        frequent.of("former")
    for number in range(100):
        frequent.of(f"invented-{number}")
    for _ in range(64):
        frequent.of("present")
    assert retired == [("former",)]


def test_what_is_invented_once_is_not_remembered() -> None:
    frequent, _ = labels(1)
    for number in range(10_000):
        frequent.of(f"invented-{number}")
    assert len(frequent._counts) <= 12  # noqa: SLF001 - its memory shows nowhere else
