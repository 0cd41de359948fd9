"""Forms that ask before they change something, and their outcomes: back to where one was, or the form again with the reason."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, RedirectResponse, Response

from provisioner_operator.core.model.request_errors import Cause
from provisioner_operator.kube.errors import KubeError
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.actions.outcome import Outcome
from provisioner_operator.web.context import WebContext
from provisioner_operator.web.page.chrome import frame_of
from provisioner_operator.web.page.rendering import render
from provisioner_operator.web.problems import Problem, problem_of

Refusal = tuple[int, str, str]
"""Status, reason and more about it."""

_UNMET = frozenset({Cause.NEVER_STARTED, Cause.MOVES_BY_ITSELF})
"""Causes for which nothing was done although the object is not as requested."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form with its words."""

    title: str
    action: str
    back: str
    """Address that a dismissal, or success, leads to."""
    back_label: str
    submit: str
    """Label of the button; empty if nothing can be sent."""
    done: str
    """Words for success, where the browser stays on its page."""
    notice: str
    """The same, as an address has it."""
    tone: str = "primary"
    dismiss: str = "Keep it as it is"
    about: str = ""
    """Object whose end is reported once it comes."""
    error: str = ""
    error_detail: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """A change of an object, with its words."""

    title: str
    """A verb and its object; the verb alone is the button's label."""
    text: str
    done: str
    notice: str
    tone: str = "primary"

    def form(self, name: str, action: str, back: str, back_label: str) -> Form:
        """Return the form that asks for its confirmation."""
        return Form(
            title=f"{self.title} {name}",
            action=action,
            back=back,
            back_label=back_label,
            submit=self.title.split()[0],
            done=self.done,
            notice=self.notice,
            tone=self.tone,
        )


def action_of(actions: Mapping[str, Action], name: str) -> Action:
    """Return the action that an address names. Raises Problem if there is none of that name."""
    if name not in actions:
        raise Problem(HTTPStatus.NOT_FOUND, "There is no such page.")
    return actions[name]


async def form_page(
    context: WebContext,
    caller: Caller,
    org: str,
    form: Form,
    template: str,
    *,
    status: int = HTTPStatus.OK,
    **content: Any,
) -> Response:
    """Answer with the form."""
    frame = await frame_of(context, caller, form.title, org=org)
    return HTMLResponse(render(template, chrome=frame, form=form, **content), status)


async def refusal_of(action: Awaitable[Outcome]) -> Refusal | None:
    """Carry out an action, and return its refusal."""
    try:
        return refusal_in(await action)
    except KubeError as error:
        return refusal_in(error)


def refusal_in(outcome: Outcome | KubeError) -> Refusal | None:
    """Return the refusal that an outcome or error is; None if the object is as requested now."""
    if isinstance(outcome, Outcome):
        is_unmet = outcome.is_refused or outcome.cause in _UNMET
        return (HTTPStatus.CONFLICT, outcome.message, "") if is_unmet else None
    problem = problem_of(outcome)
    return problem.status, problem.message, problem.detail


def result_of(outcome: Outcome | KubeError) -> tuple[str, bool]:
    """Return the result of one of several changes in words, and whether its object is as requested now."""
    if isinstance(outcome, Outcome):
        return outcome.message, not outcome.is_refused
    problem = problem_of(outcome)
    return f"{problem.message} {problem.detail}".rstrip(), False


def refused(form: Form, refusal: Refusal) -> Form:
    """Return the form with the reason for which it was refused."""
    return replace(form, error=refusal[1], error_detail=refusal[2])


def closed(form: Form, denial: str) -> Form:
    """Return the form as somebody sees it whose change would be refused; as it is if there is no reason for that."""
    return replace(form, error=denial, submit="", dismiss="Back") if denial else form


def redirect(form: Form) -> Response:
    """Send the browser back, with a notice."""
    return RedirectResponse(f"{form.back}?{urlencode({'notice': form.notice})}", HTTPStatus.SEE_OTHER)
