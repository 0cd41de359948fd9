"""Choose the parameter values of a build: checked ones for a start, those that were built for a stop or a destroy.

Parameters belong to the version. A start is checked against those of the version that it is built from. A stop or a
destroy ends what exists, so nothing that the template or the workspace has changed since may be in its way.
"""

from provisioner_operator.api.v1alpha1.enums import Transition
from provisioner_operator.core.workspaces.build_history import BuildHistory
from provisioner_operator.core.workspaces.parameters import Resolution, resolve
from provisioner_operator.core.workspaces.records import (
    Build,
    ParameterValues,
    Template,
    Version,
    Workspace,
)


def values_of_build(
    workspace: Workspace, template: Template, version: Version, transition: Transition, history: BuildHistory
) -> Resolution:
    """Return the values of a build of this version, or the problems that prevent a start."""
    built = _built_values(workspace, template, history)
    if transition is Transition.START:
        return resolve(version.parameters, workspace.parameters, built)
    values = {each.name: each.default for each in version.parameters if each.default is not None}
    names = {each.name for each in version.parameters}
    chosen = {name: value for name, value in workspace.parameters if name in names}
    return Resolution(tuple(sorted((values | chosen | dict(built)).items())))


def version_that_can_destroy(workspace: Workspace, template: Template | None, history: BuildHistory) -> str | None:
    """Return the template's active version if it knows all parameters that were built, and no other lacks a value.

    One that has lost a parameter, or renamed it, would look for the resources with another value, and perhaps not find them;
    so would one with another program.
    """
    active = None if template is None else template.status.version(template.status.active_version)
    if template is None or active is None:
        return None
    built = None if history.last_run is None else template.status.version(history.last_run.version)
    if built is not None and built.provisioner is not active.provisioner:
        return None
    values = {name for name, _ in values_of_build(workspace, template, active, Transition.DELETE, history).values}
    return active.name if values == {each.name for each in active.parameters} else None


def parameters_of(build: Build, template: Template) -> ParameterValues:
    """Return those of a job's variables that are parameters of the version that it built."""
    version = template.status.version(build.record.version)
    names = {each.name for each in (template if version is None else version).parameters}
    return tuple(each for each in build.parameters if each[0] in names)


def _built_values(workspace: Workspace, template: Template, history: BuildHistory) -> ParameterValues:
    """Return the parameters of the last build that began."""
    if history.last_run is None:
        return ()
    if history.last_run_build is None:
        return workspace.status.parameters
    return parameters_of(history.last_run_build, template)
