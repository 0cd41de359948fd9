"""All routes of Coder's API, under `/api/v2`. Included by the application."""

from fastapi import APIRouter, Depends

from provisioner_operator.web.coder.known_parameters import refuse_unknown_parameters
from provisioner_operator.web.coder.ready import require_index
from provisioner_operator.web.coder.routes import (
    build_requests,
    builds,
    cancel,
    daemons,
    jobs,
    logs,
    organizations,
    templates,
    users,
    workspaces,
)

router = APIRouter(prefix="/api/v2", generate_unique_id_function=lambda route: route.name)
router.include_router(users.open_router)
for each in (users, organizations, jobs, cancel, daemons, workspaces, builds, build_requests, logs, templates):
    router.include_router(each.router, dependencies=[Depends(refuse_unknown_parameters), Depends(require_index)])
router.include_router(logs.socket_router)
