"""Route that predicts where a job would run."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import ConfigDict
from starlette.responses import Response

from provisioner_operator.api.v1alpha1.enums import Provisioner
from provisioner_operator.api.v1alpha1.names import DAEMONS
from provisioner_operator.core.model.matching import Demand, effective_tags
from provisioner_operator.web.api.explain import match
from provisioner_operator.web.api.models import Match
from provisioner_operator.web.coder.answers import json_of
from provisioner_operator.web.coder.locate import organization_of
from provisioner_operator.web.coder.models.base import Shape
from provisioner_operator.web.coder.tag_text import TagText, tags_of_job
from provisioner_operator.web.dependencies import CallerOf, Context

router = APIRouter(tags=["Match"])


class MatchParameters(Shape):
    """Parameters of a prediction."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    organization: str
    """Name or id of the organization."""
    provisioner: Provisioner = Provisioner.TERRAFORM
    tags: TagText = None
    """Tags of the job as a JSON object."""


@router.get("/match", response_model=Match)
async def predict(parameters: Annotated[MatchParameters, Query()], context: Context, caller: CallerOf) -> Response:
    """Predict whether a job would start now, and on which daemons; nothing is submitted."""
    namespace = await organization_of(parameters.organization, context.index, caller, DAEMONS)
    tags = tags_of_job(parameters.tags) or effective_tags({})
    return json_of(Match, match(Demand(namespace, parameters.provisioner, tags), context.index))
