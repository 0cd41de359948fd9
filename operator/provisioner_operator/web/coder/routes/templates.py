"""Routes of templates, their versions and parameters."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from provisioner_operator.api.v1alpha1.names import JOBS, TEMPLATES
from provisioner_operator.api.v1alpha1.template import TemplateVersion as VersionObject
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.coder.answers import json_of
from provisioner_operator.web.coder.convert import templates as convert
from provisioner_operator.web.coder.convert.readable import readable
from provisioner_operator.web.coder.convert.template_names import find_template, object_of
from provisioner_operator.web.coder.locate import not_found, organization_of, template_of, templates_in, version_of
from provisioner_operator.web.coder.models.templates import (
    Template,
    TemplateVersion,
    TemplateVersionExternalAuth,
    TemplateVersionParameter,
)
from provisioner_operator.web.coder.parameters import TemplateParameters, VersionParameters
from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.index.rows import ObjectRow

router = APIRouter(tags=["Templates"])


@router.get("/templates", response_model=list[Template])
async def list_templates(
    selection: Annotated[TemplateParameters, Query()], context: Context, caller: CallerOf
) -> Response:
    """List the templates of all organizations whose templates the user may list."""
    index = context.index
    rows = filter(selection.selector(), index.templates.of(await caller.visible(TEMPLATES)))
    return json_of(list[Template], [convert.template(row, index) for row in readable(rows, object_of)])


@router.get("/organizations/{organization}/templates", response_model=list[Template])
async def list_templates_of_organization(organization: str, context: Context, caller: CallerOf) -> Response:
    """List the templates of an organization."""
    index = context.index
    namespace = await organization_of(organization, index, caller, TEMPLATES)
    return json_of(list[Template], [convert.template(row, index) for row in templates_in(index, {namespace})])


@router.get("/organizations/{organization}/templates/{template}", response_model=Template)
async def get_template_by_name(organization: str, template: str, context: Context, caller: CallerOf) -> Response:
    """Return a template of an organization by name."""
    row = await _named(organization, template, context, caller)
    return json_of(Template, convert.template(row, context.index))


@router.get("/organizations/{organization}/templates/{template}/versions/{version}", response_model=TemplateVersion)
async def get_version_of_organization(
    organization: str, template: str, version: str, context: Context, caller: CallerOf
) -> Response:
    """Return a version of a template of an organization by name."""
    return await _version(await _named(organization, template, context, caller), version, context, caller)


@router.get("/templates/{template}", response_model=Template)
async def get_template(template: UUID, context: Context, caller: CallerOf) -> Response:
    """Return a template."""
    row = await template_of(template, context.index, caller)
    return json_of(Template, convert.template(row, context.index))


@router.get("/templates/{template}/versions", response_model=list[TemplateVersion])
async def list_versions(
    template: UUID, selection: Annotated[VersionParameters, Query()], context: Context, caller: CallerOf
) -> Response:
    """List a template's versions, the newest first."""
    row = await template_of(template, context.index, caller)
    found = convert.versions(row)[selection.offset :][: selection.most]
    return json_of(list[TemplateVersion], await _converted(row, found, context, caller))


@router.get("/templates/{template}/versions/{version}", response_model=TemplateVersion)
async def get_version_by_name(template: UUID, version: str, context: Context, caller: CallerOf) -> Response:
    """Return a version of a template by name."""
    return await _version(await template_of(template, context.index, caller), version, context, caller)


@router.get("/templateversions/{version}", response_model=TemplateVersion)
async def get_version(version: UUID, context: Context, caller: CallerOf) -> Response:
    """Return a version of a template."""
    found = await version_of(version, context.index, caller)
    [shown] = await _converted(found.template, [found.version], context, caller)
    return json_of(TemplateVersion, shown)


@router.get("/templateversions/{version}/rich-parameters", response_model=list[TemplateVersionParameter])
async def list_rich_parameters(version: UUID, context: Context, caller: CallerOf) -> Response:
    """List the parameters that a workspace of this version chooses."""
    found = await version_of(version, context.index, caller)
    return json_of(list[TemplateVersionParameter], convert.parameters(found.template, found.version))


@router.get("/templateversions/{version}/external-auth", response_model=list[TemplateVersionExternalAuth])
async def list_external_auth(version: UUID, context: Context, caller: CallerOf) -> Response:
    """List the providers of external authentication that a version needs: none."""
    await version_of(version, context.index, caller)
    return json_of(list[TemplateVersionExternalAuth], [])


async def _named(organization: str, template: str, context: Context, caller: CallerOf) -> ObjectRow:
    namespace = await organization_of(organization, context.index, caller, TEMPLATES)
    row = find_template(context.index, namespace, template)
    if row is None:
        raise not_found()
    return row


async def _version(row: ObjectRow, name: str, context: Context, caller: Caller) -> Response:
    found = next((each for each in convert.versions(row) if each.name == name), None)
    if found is None:
        raise not_found()
    [shown] = await _converted(row, [found], context, caller)
    return json_of(TemplateVersion, shown)


async def _converted(
    row: ObjectRow, found: Sequence[VersionObject], context: Context, caller: Caller
) -> list[TemplateVersion]:
    shows_jobs = await caller.may("list", JOBS, row.namespace)
    return [convert.template_version(row, each, context.index, shows_jobs=shows_jobs) for each in found]
