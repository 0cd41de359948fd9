"""All routes of the page."""

from fastapi import APIRouter

from provisioner_operator.web.page import organizations, session, static_routes
from provisioner_operator.web.page.jobs import action_routes, cancel_routes, log_routes
from provisioner_operator.web.page.jobs import routes as job_routes
from provisioner_operator.web.page.provisioners import drain_routes
from provisioner_operator.web.page.provisioners import routes as provisioner_routes
from provisioner_operator.web.page.workspaces import action_routes as workspace_actions
from provisioner_operator.web.page.workspaces import routes as workspace_routes

router = APIRouter(include_in_schema=False)
_ROUTERS = (
    static_routes,
    session,
    organizations,
    job_routes,
    cancel_routes,
    log_routes,
    drain_routes,
    # After the paths above, since the last part of these is any action.
    action_routes,
    provisioner_routes,
    workspace_routes,
    workspace_actions,
)
for _each in _ROUTERS:
    router.include_router(_each.router)
