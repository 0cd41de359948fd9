"""Dashboard of workspaces and templates."""

from monitoring.grafana.board import QUARTER, Board, Panel, Query, Row, Shape


def workspaces() -> Board:
    """Return the dashboard of workspaces and templates."""
    panels = (
        Panel(
            "Workspaces by phase",
            "Workspaces of all namespaces.",
            "short",
            (Query("sum by (phase) (provisioner_workspaces)", "{{phase}}"),),
        ),
        Panel(
            "Failed workspaces",
            "Workspaces whose last build failed.",
            "short",
            (Query('sum(provisioner_workspaces{phase="Failed"})', "failed"),),
            Shape.STAT,
            QUARTER,
        ),
        Panel(
            "Templates that are not ready",
            "Templates that are stalled, or that are being imported.",
            "short",
            (Query('sum by (state) (provisioner_templates{state!="Ready"})', "{{state}}"),),
            Shape.STAT,
            QUARTER,
        ),
    )
    description = "Workspaces by phase, and templates that cannot be used."
    rows = (Row("Workspaces and templates", panels),)
    return Board("workspaces", "Provisioner / Workspaces", description, rows, by_namespace=False)
