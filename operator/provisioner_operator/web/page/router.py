"""All routes of the page."""

from fastapi import APIRouter

from provisioner_operator.web.page import organizations, session, static_routes
from provisioner_operator.web.page.jobs import routes as job_routes

router = APIRouter(include_in_schema=False)
for _each in (static_routes, session, organizations, job_routes):
    router.include_router(_each.router)
