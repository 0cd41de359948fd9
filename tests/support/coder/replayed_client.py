"""The requests that Coder's command line sends for each command, and what it makes of the answers.

As the program (v2.36) sent them to this project's server. Each answer is decoded as
strictly as Go could. Where CODER_BINARY names the program, the same tests run it too (`real_client`).
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from websockets.sync.client import connect

from support.coder.go_decoder import problems_of
from support.coder.real_client import ClientAnswer
from support.programs.programs import READY_WITHIN

NIL = str(UUID(int=0))
_HOURS = re.compile(r"(\d+)h")


class CommandError(Exception):
    """The command ends with exit code 1 and this message."""


@dataclass(frozen=True, slots=True)
class ReplayedClient:
    """Sends the requests of the program, as one user."""

    url: str
    token: str = field(repr=False)

    def run(self, *arguments: str) -> ClientAnswer:
        """Run a command."""
        words, options = _parsed(arguments)
        length = next(length for length in (3, 2, 1) if " ".join(words[:length]) in _COMMANDS)
        session = Session(self.url, self.token)
        try:
            out = _COMMANDS[" ".join(words[:length])](session, words[length:], options)
        except CommandError as error:
            return ClientAnswer(arguments, 1, session.out, f"error: {error}\n")
        finally:
            session.http.close()
        return ClientAnswer(arguments, 0, session.out + out)


Options = Mapping[str, str]
_FLAGS = frozenset({"-y", "-f", "--orphan"})


def _parsed(arguments: tuple[str, ...]) -> tuple[list[str], dict[str, str]]:
    words, options, rest = [], {}, iter(arguments)
    for each in rest:
        if each in _FLAGS:
            options[each] = "true"
        elif each.startswith("-"):
            options[each] = next(rest)
        else:
            words.append(each)
    return words, options


class Session:
    """One run of the program."""

    def __init__(self, url: str, token: str) -> None:
        """Open a connection with the user's token."""
        self._url, self._token = url, token
        self.http = httpx.Client(base_url=url, headers={"Coder-Session-Token": token}, timeout=READY_WITHIN)
        self.out = ""

    def ask(self, method: str, path: str, go_type: str = "", body: Any = None, **query: str) -> Any:
        """Send a request, and decode its answer into the type. Raises CommandError for a failure."""
        answer = self.http.request(method, f"/api/v2{path}", params=query or None, json=body)
        if answer.status_code >= httpx.codes.BAD_REQUEST:
            assert problems_of("Response", answer.json()) == []
            raise CommandError(f"{answer.status_code} {answer.json()['message']}")
        if not go_type:
            assert answer.status_code == httpx.codes.NO_CONTENT
            return None
        assert problems_of(go_type, answer.json()) == []
        return answer.json()

    def logs(self, build: str, after: int = 0) -> Iterator[Mapping[str, Any]]:
        """Follow the log of a build to its end, which is a close with 1000."""
        position = f"&after={after}" if after else ""
        address = self._url.replace("http", "ws", 1) + f"/api/v2/workspacebuilds/{build}/logs?follow{position}"
        headers = {"Coder-Session-Token": self._token}
        with connect(address, additional_headers=headers, compression=None, open_timeout=READY_WITHIN) as socket:
            for message in socket:
                assert isinstance(message, str)
                line = json.loads(message)
                assert problems_of("ProvisionerJobLog", line) == []
                yield line
            assert socket.protocol.close_code == 1000

    def organization(self, options: Options) -> Mapping[str, Any]:
        """Return the organization that is chosen, or the only one."""
        found: list[Mapping[str, Any]] = self.ask("GET", "/users/me/organizations", "[]Organization")
        if "-O" in options:
            chosen = [each for each in found if options["-O"] in {each["name"], each["id"]}]
            return chosen[0] if chosen else self._ask_organization(options["-O"])
        if len(found) != 1:
            raise CommandError("current organization: Must select an organization with --org=<org_name>.")
        return found[0]

    def _ask_organization(self, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.ask("GET", f"/organizations/{name}", "Organization")
        return found

    def workspace(self, name: str) -> Mapping[str, Any]:
        """Return a workspace of the user's own."""
        path = f"/users/me/workspace/{name}"
        found: Mapping[str, Any] = self.ask("GET", path, "Workspace", include_deleted="false")
        return found

    def build(self, workspace: Mapping[str, Any], **wanted: Any) -> None:
        """Ask for a build, and show it until its end."""
        made = self.ask("POST", f"/workspaces/{workspace['id']}/builds", "WorkspaceBuild", wanted)
        self.watch(made["id"])

    def watch(self, build: str) -> None:
        """Show a build until its end. Raises CommandError unless it succeeds."""
        self.ask("GET", f"/workspacebuilds/{build}", "WorkspaceBuild")
        stage = "Queued"
        for line in self.logs(build):
            if line["stage"] not in {"", stage}:
                stage = line["stage"]
                self.out += f"==> {stage}\n"
                # The program takes the first line of a stage for its headline, and shows nothing else of it.
                continue
            self.out += f"{line['output']}\n"
        job = self.ask("GET", f"/workspacebuilds/{build}", "WorkspaceBuild")["job"]
        if job["status"] != "succeeded":
            raise CommandError(job.get("error", job["status"]))


def _login(session: Session, words: list[str], options: Options) -> str:
    del words, options
    session.ask("GET", "/users/first", "Response")
    key = session.ask("POST", "/users/me/keys", "GenerateAPIKeyResponse")["key"]
    session.http.headers["Coder-Session-Token"] = key
    return f"Welcome to Coder, {session.ask('GET', '/users/me', 'User')['username']}!"


def _logout(session: Session, words: list[str], options: Options) -> str:
    del words, options
    session.ask("POST", "/users/logout", "Response")
    return "You are no longer logged in."


def _whoami(session: Session, words: list[str], options: Options) -> str:
    del words, options
    return f"You're authenticated as {session.ask('GET', '/users/me', 'User')['username']}"


def _organizations(session: Session, words: list[str], options: Options) -> str:
    del words, options
    return "\n".join(each["name"] for each in session.ask("GET", "/organizations", "[]Organization"))


def _my_organizations(session: Session, words: list[str], options: Options) -> str:
    del words, options
    found = session.ask("GET", "/users/me/organizations", "[]Organization")
    return "\n".join(f"{each['name']} ({each['id']})" for each in found)


def _provisioners(session: Session, words: list[str], options: Options) -> str:
    del words
    path = f"/organizations/{session.organization(options)['id']}/provisionerdaemons"
    query = {"limit": options.get("-l", "50")}
    query |= {"offline": "true"} if "-f" in options else {}
    query |= {"status": options["-s"]} if "-s" in options else {}
    return json.dumps(session.ask("GET", path, "[]ProvisionerDaemon", **query))


def _jobs(session: Session, words: list[str], options: Options) -> str:
    del words
    organization = session.organization(options)
    query = {"limit": options.get("-l", "50")}
    query |= {"status": options["-s"]} if "-s" in options else {}
    if "-i" in options:
        try:
            query["initiator"] = session.ask("GET", f"/users/{options['-i']}", "User")["id"]
        except CommandError as error:
            raise CommandError(f"initiator not found: {options['-i']}") from error
    found = session.ask("GET", f"/organizations/{organization['id']}/provisionerjobs", "[]ProvisionerJob", **query)
    if not found:
        return "No provisioner jobs found\n"
    found.sort(key=lambda job: job["created_at"])
    if options.get("-o") == "json":
        return json.dumps([each | {"organization_name": organization["display_name"]} for each in found])
    return "\n".join(f"{each['id']} {each['status']} {_queue(each)} {each['tags']}" for each in found)


def _queue(job: Mapping[str, Any]) -> str:
    return f"{job['queue_position']}/{job['queue_size']}" if job["status"] == "pending" else ""


def _cancel(session: Session, words: list[str], options: Options) -> str:
    path = f"/organizations/{session.organization(options)['id']}/provisionerjobs/{words[0]}"
    job = session.ask("GET", path, "ProvisionerJob")
    version, identity = job["input"].get("template_version_id"), job["id"]
    match job["type"]:
        case "workspace_build":
            build = job["input"]["workspace_build_id"]
            session.ask("PATCH", f"/workspacebuilds/{build}/cancel", "Response", expect_status="")
        case "template_version_import":
            session.ask("PATCH", f"/templateversions/{version}/cancel", "Response")
        case _:
            session.ask("PATCH", f"/templateversions/{version}/dry-run/{identity}/cancel", "Response")
    return "Job canceled\n"


def _list(session: Session, words: list[str], options: Options) -> str:
    del words, options
    found = session.ask("GET", "/workspaces", "WorkspacesResponse", q="owner:me")
    return "\n".join(f"{each['name']} {each['latest_build']['status']}" for each in found["workspaces"])


def _show(session: Session, words: list[str], options: Options) -> str:
    del options
    session.ask("GET", "/buildinfo", "BuildInfoResponse")
    found = session.workspace(words[0])
    return f"{found['name']} ({found['latest_build']['status']})"


def _logs(session: Session, words: list[str], options: Options) -> str:
    workspace = session.workspace(words[0])
    build = workspace["latest_build"]
    if "-n" in options:
        path = f"/users/{workspace['owner_name']}/workspace/{workspace['name']}/builds/{options['-n']}"
        build = session.ask("GET", path, "WorkspaceBuild")
    lines = list(session.logs(build["id"]))
    if "-f" in options:
        again = list(session.logs(build["id"], lines[-1]["id"] if lines else 0))
        assert again == []
    return "\n".join(f"[{each['log_level']}] [provisioner|{each['stage']}] {each['output']}" for each in lines)


def _stop(session: Session, words: list[str], options: Options) -> str:
    del options
    session.build(session.workspace(words[0]), transition="stop", template_version_id=NIL)
    return f"The {words[0]} workspace has been stopped"


def _start(session: Session, words: list[str], options: Options) -> str:
    del options
    workspace = session.workspace(words[0])
    session.build(workspace, **_start_request(session, workspace))
    return f"The {words[0]} workspace has been started"


def _restart(session: Session, words: list[str], options: Options) -> str:
    del options
    workspace = session.workspace(words[0])
    start = _start_request(session, workspace)
    session.build(workspace, transition="stop", template_version_id=NIL, rich_parameter_values=[])
    session.build(workspace, **start)
    return f"The {words[0]} workspace has been restarted"


def _start_request(session: Session, workspace: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for all that a start needs, and return its request."""
    latest = workspace["latest_build"]
    values = session.ask("GET", f"/workspacebuilds/{latest['id']}/parameters", "[]WorkspaceBuildParameter")
    path = f"/templateversions/{latest['template_version_id']}"
    version = session.ask("GET", path, "TemplateVersion")
    template = session.ask("GET", f"/templates/{version['template_id']}", "Template")
    assert template["use_classic_parameter_flow"]
    session.ask("GET", f"{path}/rich-parameters", "[]TemplateVersionParameter")
    assert session.ask("GET", f"{path}/external-auth", "[]TemplateVersionExternalAuth") == []
    return {"transition": "start", "template_version_id": version["id"], "rich_parameter_values": values}


def _delete(session: Session, words: list[str], options: Options) -> str:
    workspace = session.workspace(words[0])
    session.build(
        workspace, transition="delete", template_version_id=NIL, **({"orphan": True} if "--orphan" in options else {})
    )
    return f"{words[0]} has been deleted"


def _templates(session: Session, words: list[str], options: Options) -> str:
    del words, options
    return "\n".join(each["name"] for each in session.ask("GET", "/templates", "[]Template"))


def _versions(session: Session, words: list[str], options: Options) -> str:
    path = f"/organizations/{session.organization(options)['id']}/templates/{words[0]}"
    template = session.ask("GET", path, "Template")
    found = session.ask("GET", f"/templates/{template['id']}/versions", "[]TemplateVersion", include_archived="false")
    return "\n".join(f"{each['name']} {each['job']['status'].title()}" for each in found)


def _autoupdate(session: Session, words: list[str], options: Options) -> str:
    del options
    path = f"/workspaces/{session.workspace(words[0])['id']}/autoupdates"
    session.ask("PUT", path, body={"automatic_updates": words[1]})
    return f"Updated workspace {words[0]!r} auto-update policy to {words[1]!r}"


def _schedule_stop(session: Session, words: list[str], options: Options) -> str:
    del options
    hours = _HOURS.fullmatch(words[1])
    milliseconds = int(hours[1]) * 3_600_000 if hours else None
    session.ask("PUT", f"/workspaces/{session.workspace(words[0])['id']}/ttl", body={"ttl_ms": milliseconds})
    after = session.workspace(words[0]).get("ttl_ms")
    return f"STOPS AFTER\n{after // 3_600_000 if after else ''}h"


_COMMANDS: Mapping[str, Callable[[Session, list[str], Options], str]] = {
    "login": _login,
    "logout": _logout,
    "whoami": _whoami,
    "organizations list": _organizations,
    "organizations show me": _my_organizations,
    "provisioner list": _provisioners,
    "provisioner jobs list": _jobs,
    "provisioner jobs cancel": _cancel,
    "list": _list,
    "show": _show,
    "logs": _logs,
    "stop": _stop,
    "start": _start,
    "restart": _restart,
    "delete": _delete,
    "templates list": _templates,
    "templates versions list": _versions,
    "autoupdate": _autoupdate,
    "schedule stop": _schedule_stop,
}
