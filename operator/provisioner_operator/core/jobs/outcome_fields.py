"""Render the outcome of a run as fields of the job's status. Used by `status_writes.finish`."""

from collections.abc import Iterator

from provisioner_operator.api.v1alpha1.limits import (
    LONGEST_ADDRESS,
    LONGEST_DECLARATION,
    LONGEST_OUTPUT,
    LONGEST_TYPE,
    MOST_OUTPUTS,
    MOST_RESOURCES,
    MOST_VARIABLES,
)
from provisioner_operator.core.jobs.outcome import (
    DeclaredVariable,
    LogArchive,
    Outcome,
    Output,
    ResourceChange,
    StageTiming,
)
from provisioner_operator.core.model.json_patch import Field, clip, timestamp
from provisioner_operator.core.model.json_value import JsonObject


def outcome_fields(outcome: Outcome) -> Iterator[Field]:
    """Yield the fields that report the outcome's details; a detail that the run did not have yields none."""
    if outcome.stage is not None:
        yield "/status/stage", outcome.stage
    if outcome.timings:
        yield "/status/timings", [_timing(each) for each in outcome.timings]
    if outcome.outputs:
        yield "/status/outputs", [_output(each) for each in outcome.outputs[:MOST_OUTPUTS]]
    if outcome.resources:
        yield "/status/resources", [_resource(each) for each in outcome.resources[:MOST_RESOURCES]]
    if outcome.variables:
        yield "/status/variables", [_variable(each) for each in outcome.variables[:MOST_VARIABLES]]
    if outcome.commit is not None:
        yield "/status/commit", outcome.commit
    if outcome.plan_digest is not None:
        yield "/status/planDigest", outcome.plan_digest
    if outcome.log is not None:
        yield "/status/log", _log(outcome.log)


def cut_output(value: str) -> str:
    """Return the value of an output as a status has room for it: one that is cut says so, as it may be no JSON any more."""
    if len(value) <= LONGEST_OUTPUT:
        return value
    mark = f"… [cut: {len(value)} characters]"
    return value[: LONGEST_OUTPUT - len(mark)] + mark


def _output(output: Output) -> JsonObject:
    return {"name": output.name, "value": cut_output(output.value)}


def _timing(timing: StageTiming) -> JsonObject:
    started: JsonObject = {"stage": timing.stage, "startedAt": timestamp(timing.started)}
    return started if timing.finished is None else {**started, "finishedAt": timestamp(timing.finished)}


def _resource(change: ResourceChange) -> JsonObject:
    return {
        "address": clip(change.address, LONGEST_ADDRESS),
        "type": clip(change.type, LONGEST_TYPE),
        "action": change.action,
    }


def _variable(variable: DeclaredVariable) -> JsonObject:
    return {
        "name": variable.name,
        "type": clip(variable.type, LONGEST_DECLARATION),
        "required": variable.required,
        "sensitive": variable.sensitive,
        "description": clip(variable.description, LONGEST_DECLARATION),
    }


def _log(log: LogArchive) -> JsonObject:
    return {"configMap": log.config_map, "bytes": log.size, "truncated": log.truncated}
