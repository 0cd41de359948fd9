"""All routes of our own API, under `/api/provisioner/v1`. Included by the application."""

from fastapi import APIRouter, Depends

from provisioner_operator.web.api.routes import document, events, jobs, match
from provisioner_operator.web.coder.known_parameters import refuse_unknown_parameters
from provisioner_operator.web.coder.ready import require_index

router = APIRouter(prefix="/api/provisioner/v1", generate_unique_id_function=lambda route: route.name)
for each in (jobs, match, events):
    router.include_router(each.router, dependencies=[Depends(refuse_unknown_parameters), Depends(require_index)])
router.include_router(document.router)
