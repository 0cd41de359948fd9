"""Evaluation of the benchmark's results; its measurements are not tested."""

import pytest

from bench.bars import Bar, bars
from bench.client import BenchError
from bench.floor import FLOOR
from bench.peers.plug import read
from bench.plan import AGAINST, FULL, OURS, QUICK
from bench.results import Results
from bench.scenarios import accept, cancel, decision, idle, life
from bench.statistics import Spread, exponent, percentile
from bench.stopwatch import Sign
from support.manifests import REPOSITORY


def test_a_percentile_is_a_measured_value() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile([7.0], 0.99) == 7


def test_the_exponent_of_linear_growth_is_one_and_of_quadratic_growth_two() -> None:
    assert exponent({100: 1.0, 1000: 10.0, 3000: 30.0}) == pytest.approx(1)
    assert exponent({100: 1.0, 1000: 100.0}) == pytest.approx(2)
    assert exponent({100: 5.0, 1000: 5.0}) == pytest.approx(0)


def test_a_ratio_is_taken_round_by_round_so_that_a_slow_machine_slows_both() -> None:
    results = Results()
    for mine, theirs in ((10, 20), (100, 200), (30, 10)):
        results.add("x", "rate", "mine", mine, "1/s")
        results.add("x", "rate", "theirs", theirs, "1/s")
    assert results.ratio("rate", "mine", "rate", "theirs") == 0.5
    assert results.ratio("rate", "mine", "rate", "nobody") is None
    row = results.row("rate", "mine")
    assert row is not None
    assert row.spread == Spread(30, 10, 100, 3)


@pytest.mark.parametrize(
    ("value", "at_least", "met"),
    [(0.8, True, True), (0.79, True, False), (2.0, False, True), (2.1, False, False), (None, True, None)],
)
def test_a_bar_is_met_by_its_limit_itself(value: float | None, *, at_least: bool, met: bool | None) -> None:
    assert Bar("x", value, 0.8 if at_least else 2.0, at_least=at_least).met is met


def test_a_bar_without_a_measurement_is_not_a_failure() -> None:
    assert {bar.met for bar in bars(Results(), FULL)} == {None}


def test_one_write_in_an_idle_minute_is_one_too_many() -> None:
    results = Results()
    results.add(idle.SCENARIO, idle.WRITES, OURS, 1, "")
    results.add(accept.SCENARIO, accept.ASSIGNMENTS, OURS, 95, "1/s")
    results.add(accept.SCENARIO, accept.PATCHES, FLOOR, 100, "1/s")
    assert {bar.met for bar in bars(results, QUICK) if bar.met is not None} == {True, False}


def test_the_bars_of_peers_are_open_until_they_are_measured() -> None:
    named = [bar for bar in bars(Results(), FULL) if "Kueue" in bar.what or "Tekton" in bar.what]
    assert len(named) == 5
    assert all(bar.met is None for bar in named)


def test_the_best_peer_of_each_round_is_the_one_to_beat() -> None:
    results = Results()
    measure = cancel.canceled("p99", 300)
    for ours, kueue, tekton in ((4, 10, 5), (9, 10, 20)):
        for subject, value in ((OURS, ours), ("Kueue", kueue), ("Tekton", tekton)):
            results.add("cancel", measure, subject, value, "ms")
    assert results.margin(measure, OURS, ("Kueue", "Tekton")) == pytest.approx((4 / 5 + 9 / 10) / 2)
    (bar,) = [bar for bar in bars(results, FULL) if "the best of" in bar.what]
    assert bar.met is False


def test_the_best_of_two_peers_is_unknown_if_one_was_not_measured() -> None:
    results = Results()
    for subject in (OURS, "Kueue"):
        results.add("cancel", "x", subject, 1, "ms")
    assert results.margin("x", OURS, ("Kueue", "Tekton")) is None
    assert results.margin("x", "Tekton", ("Kueue",)) is None


@pytest.mark.parametrize(("ours", "kueue", "met"), [(130, 100, True), (129, 100, False)])
def test_a_burst_has_to_be_accepted_faster_than_by_kueue(ours: float, kueue: float, *, met: bool) -> None:
    results = Results()
    results.add("accept", accept.accepted_rate(300), OURS, ours, "1/s")
    results.add("accept", accept.accepted_rate(300), "Kueue", kueue, "1/s")
    (bar,) = [bar for bar in bars(results, FULL) if bar.met is not None]
    assert bar.met is met


def test_the_other_version_sets_the_bars_of_the_api_servers_cost() -> None:
    results = Results()
    for subject, seconds in ((OURS, 5), (AGAINST, 24)):
        results.add("idle", idle.CPU_OF.format(process=life.API_SERVER), subject, seconds, "s")
    (bar,) = [bar for bar in bars(results, FULL) if bar.met is not None]
    assert (bar.limit, bar.met) == (0.2, False)


def test_what_grows_linearly_does_not_meet_its_bar() -> None:
    results = Results()
    for what, exponent_of in (("heartbeat", 0.02), ("look at pools", 1.0)):
        results.add("growth", f"{decision.GROWTH_OF}{what}", OURS, exponent_of, "")
    assert [bar.met for bar in bars(results, FULL) if bar.met is not None] == [True, False]


def test_a_sign_is_evaluated_on_each_object() -> None:
    sign = Sign("/pods", "status.conditions[?type=='Ready' && status=='True'] | [0]", 'metadata.labels."job-name"')
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    assert sign.job({"metadata": {"labels": {"job-name": "a"}}, "status": ready}) == "a"
    assert sign.job({"metadata": {"labels": {"job-name": "a"}}, "status": {}}) is None
    assert sign.job({"metadata": {}, "status": ready}) is None


def test_the_example_is_a_valid_plug() -> None:
    assert read(REPOSITORY / "bench" / "plug.example.yaml").accepted == "data.phase == 'Accepted'"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name: x", "command"),
        ("[", "while parsing"),
        ("{name: x, command: x, job: {}, accepted: 'a ==', cancel: {}, canceled: a}", "not a JMESPath expression"),
        ("{name: x, command: x, job: {}, accepted: a, cancel: {}, canceled: a, speed: high}", "speed"),
    ],
)
def test_an_invalid_plug_is_refused_with_a_reason(
    text: str, complaint: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("plug") / "plug.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BenchError, match=complaint):
        read(path)
