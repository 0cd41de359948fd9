"""Watched lists, also while the API server is unreachable, and the full screen of `top`."""

from pathlib import Path

import pytest
import yaml

from integration.cli.conftest import ON_PREM, People
from integration.daemon.cable import Cable
from support.programs.cli import Cli
from support.test_namespace import ProductNamespace

STUCK = {"environment": "on-prem", "datacenter": "berlin"}


@pytest.fixture(scope="module", autouse=True)
def _jobs(busy: ProductNamespace) -> None:
    """One job that runs, one that waits for it, one that nobody takes."""
    busy.submit_held("runs-1", tags=ON_PREM)
    busy.submit_held("runs-2", tags=ON_PREM)
    busy.submit("waits", tags=ON_PREM)
    busy.submit("stuck", tags=STUCK)


def test_a_watched_list_says_what_changes_line_by_line_in_a_pipe(busy: ProductNamespace, people: People) -> None:
    with people.viewer.started("jobs", "list", "-w", "-c", "name,status") as watched:
        watched.await_line("stuck")
        busy.submit("comes", tags=STUCK)
        watched.await_line("comes")
        busy.cancel("comes")
        watched.await_line("Canceled")
        assert watched.out[0].split() == ["NAME", "STATUS"]
        watched.interrupt()
        assert watched.exit_code() == 130
        assert "Traceback" not in str(watched)


def test_a_server_that_goes_away_in_the_middle_of_a_watch_is_waited_for(busy: ProductNamespace, people: People) -> None:
    cable = Cable(
        yaml.safe_load(people.viewer.kubeconfig.read_text(encoding="utf-8"))["clusters"][0]["cluster"]["server"]
    )
    user = Cli(_through(cable, busy, people), busy.namespace)
    try:
        with user.started("jobs", "list", "-w", "-c", "name,status") as watched:
            watched.await_line("stuck")
            cable.cut()
            watched.await_line("Trying again.")
            busy.submit("meanwhile", tags=STUCK)
            cable.mend()
            watched.await_line("The API server is back.")
            watched.await_line("meanwhile")
            watched.interrupt()
            assert watched.exit_code() == 130
            assert "Traceback" not in str(watched)
    finally:
        cable.close()


def _through(cable: Cable, product: ProductNamespace, people: People) -> Path:
    document = yaml.safe_load(people.viewer.kubeconfig.read_text(encoding="utf-8"))
    document["clusters"][0]["cluster"]["server"] = cable.server
    file = product.ledger.path.parent / "through-cable"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    return file


def test_a_list_is_watched_in_its_place_in_a_narrow_terminal(busy: ProductNamespace, people: People) -> None:
    with people.viewer.in_terminal("jobs", "list", "-w", "-s", "pending", columns=60, rows=20) as terminal:
        terminal.await_text("NAME", "stuck", "NoMatchingDaemon", "Ctrl-C ends")
        terminal.await_that(lambda: terminal.screen.count("stuck") == 1, "that 'stuck' stands there once")
        terminal.await_that(lambda: terminal.styles("NoMatchingDaemon") == {"red"}, "that the reason is red")
        busy.submit("late", tags=STUCK)
        terminal.await_text("late")
        terminal.await_that(lambda: terminal.screen.count("NAME") == 1, "that the heading stands there once")
        busy.cancel("late")
        terminal.await_gone("late")
        terminal.press("\x03")
        assert terminal.exit_code() == 130


def test_colors_are_off_with_no_color(people: People) -> None:
    user = Cli(people.viewer.kubeconfig, people.viewer.namespace, {"NO_COLOR": "1"})
    with user.in_terminal("jobs", "list", "-s", "stuck") as terminal:
        terminal.await_text("NoMatchingDaemon")
        terminal.await_that(lambda: terminal.styles("NoMatchingDaemon") == {"default"}, "that nothing is colored")
        assert terminal.exit_code() == 0


def test_top_shows_the_queue_the_jobs_and_the_daemons(people: People) -> None:
    with people.viewer.in_terminal("top", columns=120, rows=40) as terminal:
        screen = terminal.await_text(
            *("Queue by demand", "─ Jobs ─", "─ Daemons ─", "datacenter=berlin", "stuck", "runs-1", "d1", "2/2"),
            *("waits", " stuck, 2 running, 1 of 1 daemon online"),
        )
        jobs = screen[screen.index("─ Jobs ─") : screen.index("─ Daemons ─")]
        assert jobs.index("stuck") < jobs.index("runs-1") < jobs.index("waits")
        terminal.press("q")
        assert terminal.exit_code() == 0


def test_top_filters_explains_opens_and_follows(people: People) -> None:
    with people.root.in_terminal("top", columns=120, rows=40) as terminal:
        terminal.await_text("stuck", "runs-1")
        terminal.press("w")
        terminal.await_text("Why stuck", "NoMatchingDaemon", "datacenter=berlin", "LACKS")
        terminal.press("\x1b")
        terminal.await_gone("Why stuck")
        terminal.press("/")
        terminal.await_text("words that a line must contain")
        terminal.press("runs-2")
        terminal.await_gone("runs-1 ")
        terminal.press("\r")
        terminal.await_text("w Why")
        terminal.press("\r")
        terminal.await_text("Job runs-2", "Life", "assigned to d1")
        terminal.press("\x1b")
        terminal.await_gone("Job runs-2")
        terminal.press("l")
        terminal.await_text("Log of runs-2")
        terminal.press("\x1b")
        terminal.await_gone("Log of runs-2")
        terminal.press("q")
        assert terminal.exit_code() == 0


def test_top_cancels_after_a_question(busy: ProductNamespace, people: People) -> None:
    busy.submit("victim", tags={"a": "victim"})
    with people.admin.in_terminal("top", columns=120, rows=40) as terminal:
        terminal.await_text("victim")
        terminal.press("/")
        terminal.await_text("words that a line must contain")
        terminal.press("victim\r")
        terminal.await_gone("runs-1")
        terminal.await_text("w Why")
        terminal.press("c")
        terminal.await_text("Cancel job victim in namespace")
        terminal.press("n")
        terminal.await_gone("Cancel job victim")
        terminal.press("c")
        terminal.await_text("Cancel job victim in namespace")
        terminal.press("y")
        terminal.await_text("victim: cancel requested")
        busy.jobs.until("victim", "Canceled")
        terminal.press("q")
        assert terminal.exit_code() == 0


def test_a_user_who_may_not_cancel_learns_so_in_top(busy: ProductNamespace, people: People) -> None:
    with people.viewer.in_terminal("top", columns=120, rows=40) as terminal:
        terminal.await_text("stuck")
        terminal.press("c")
        terminal.await_text("Cancel job stuck")
        terminal.press("y")
        terminal.await_text("may not patch")
        terminal.press("q")
        assert terminal.exit_code() == 0
    assert busy.admin.get("pj", "stuck")["spec"]["cancel"] is False


def test_top_ends_with_a_sentence_when_nothing_may_be_seen(people: People) -> None:
    with people.nobody.in_terminal("top", columns=100) as terminal:
        terminal.await_text("may not list provisionerjobs")
        assert terminal.exit_code() == 4
