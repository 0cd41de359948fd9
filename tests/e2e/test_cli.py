"""The command line with daemons in Pods of a real node: live logs."""

from e2e.product import WITHIN, Team
from support.programs.cli import Cli


def test_a_log_is_followed_live_from_the_daemons_pod(team: Team) -> None:
    cli = Cli(team.admin.kubeconfig, team.admin.namespace)
    team.create_pool()
    team.submit("talks", lines=10, seconds=20)
    team.jobs.until("talks", "Running", seconds=WITHIN)
    with cli.started("jobs", "logs", "talks", "-f") as following:
        following.await_line(f"Live from Pod {team.daemon_of('talks')}:", within=WITHIN)
        assert following.exit_code(within=WITHIN) == 0
        assert "talks: Completed." in str(following)
    archived = cli.run("jobs", "logs", "talks")
    assert "From the archive" in archived.err
    assert [line.rstrip("\n") for line in following.out] == archived.lines
