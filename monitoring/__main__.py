"""Command behind `make monitoring`: write the generated files, which tests compare with their source."""

from pathlib import Path

import click

from monitoring.grafana.boards import boards, config_maps
from monitoring.grafana.rendering import dashboard_json
from monitoring.rules.alerts import groups
from monitoring.rules.prometheus_rule import prometheus_rule, rules_file
from monitoring.rules.queue_slo import QueueSlo
from monitoring.rules.rule import DEFAULT_LINKS, Links
from monitoring.state_metrics import rendering as state_metrics_files
from monitoring.state_metrics.metrics import state_metrics

ROOT = Path(__file__).parents[1]
DEFAULT = QueueSlo()


def files(slo: QueueSlo = DEFAULT, links: Links = DEFAULT_LINKS) -> dict[Path, str]:
    """Return all generated files by their paths below the root."""
    rules, dashboards = groups(slo), boards(slo)
    return {
        Path("manifests/components/monitoring/rules.yaml"): prometheus_rule(rules, links),
        Path("monitoring/rules.yaml"): rules_file(rules, links),
        Path("manifests/components/dashboards/dashboards.yaml"): config_maps(dashboards),
        **{Path(f"monitoring/dashboards/{board.uid}.json"): dashboard_json(board) for board in dashboards},
        **state_metrics_files.files(state_metrics()),
    }


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--objective",
    type=float,
    default=DEFAULT.objective,
    show_default=True,
    help="Share of jobs that have to start within the target.",
)
@click.option(
    "--target",
    type=float,
    default=DEFAULT.target_seconds,
    show_default=True,
    help="Seconds within which a job has to start; a bucket of provisioner_job_dispatch_seconds.",
)
@click.option(
    "--runbooks", default=DEFAULT_LINKS.runbooks, show_default=True, help="Address of the folder of the runbooks."
)
@click.option("--grafana", default=DEFAULT_LINKS.grafana, help="Address of Grafana, for links to the dashboards.")
def main(*, objective: float, target: float, runbooks: str, grafana: str) -> None:
    """Write the rules, the dashboards, and the configuration of kube-state-metrics."""
    try:
        slo = QueueSlo(objective, target)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    for path, text in files(slo, Links(runbooks, grafana)).items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
