"""Times as people write and read them."""

import pytest

from provisioner_operator.cli.output.times import duration, moment, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("1h30m", 5400), ("2d", 172_800), ("1w", 604_800), ("7", 7), ("1.5h", 5400)],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "5 m", "5x", "-5m", "m5"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (-3, "0s"),
        (59.9, "59s"),
        (125, "2m5s"),
        (600, "10m"),
        (3600, "1h"),
        (11_520, "3h12m"),
        (90_000, "1d1h"),
        (864_000, "10d"),
    ],
)
def test_durations_are_shown_in_two_units_at_most(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_moments_are_shown_in_utc() -> None:
    assert moment(1_800_000_000, utc=True) == "2027-01-15T08:00:00Z"
    assert moment(None, utc=True) == ""


def test_local_moments_name_their_zone() -> None:
    assert moment(1_800_000_000, utc=False)[19:20] in {"+", "-"}
