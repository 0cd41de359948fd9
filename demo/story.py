"""Story of the demo: the life of a workspace and each way in which a job can end, as commands of two users.

Called by `make demo` with a started environment. Each step is checked; the first unexpected result ends the story.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo.narration import heading, say
from demo.people import UnexpectedResultError

if TYPE_CHECKING:
    from demo.environment import Environment
    from demo.people import Person

ENDS = {
    "dev-1": "Completed",
    "dev-2": "Completed",
    "dev-3": "Completed",
    "dev-4": "Completed",
    "tokyo": "Canceled",
    "training": "Canceled",
    "osaka": "Canceled",
    "hanging": "Failed",
    "nightly": "Failed",
}
"""Final phase of each job."""

# The killed daemon is lost after 15 s; the rest is for a busy machine.
LOST_WITHIN = 45


def run_story(environment: Environment) -> None:
    """Run all steps. Raises UnexpectedResultError."""
    sam, ada = environment.sam, environment.ada
    _meet_daemons(ada)
    _make_template(ada)
    _start_workspace(sam)
    _change_workspace(sam)
    _stop_workspace(sam)
    _match_no_daemon(sam)
    _refuse_cancel(sam)
    _cancel_pending(ada)
    _cancel_running(sam, ada)
    _cancel_by_api(sam, ada)
    _time_out(sam, ada)
    _lose_daemon(environment)
    _delete_workspace(sam)
    _sum_up(ada)


def _meet_daemons(ada: Person) -> None:
    heading("Three daemons with different tags")
    say(
        "You can type each command yourself after `make up`. The name before the $ is the user whose KUBECONFIG is used."
    )
    ada.types("kubectl get pd", shows="datacenter=chicago")


def _make_template(ada: Person) -> None:
    heading("A template is imported")
    say(
        "Ada writes Terraform code and declares its parameters. The operator stores a version, and a daemon validates it."
    )
    ada.types("kubectl apply -f demo/workspaces/template.yaml")
    ada.types(_until_ready("wst/machine"))
    ada.types("kubectl get wst", shows="Imported")


def _start_workspace(sam: Person) -> None:
    heading("A workspace is started")
    say(
        "Sam describes the workspace. The operator creates the job dev-1, and a daemon that matches its tags runs init, plan and apply."
    )
    sam.types("kubectl apply -f demo/workspaces/dev.yaml")
    sam.types(_until_ready("ws/dev"))
    sam.types("kubectl get ws,pj", shows="dev-1")
    sam.types(
        """kubectl get ws dev -o jsonpath='{range .status.outputs[*]}{.name} = {.value}{"\\n"}{end}'""",
        shows="machine = machine of size 2 with the disk in us-east",
    )
    sam.types(
        """kubectl get ws dev -o jsonpath='{range .status.resources[*]}{.action} {.address}{"\\n"}{end}'""",
        shows="create terraform_data.machine[0]",
    )
    sam.types(
        "kubectl get pj dev-1 -o jsonpath="
        """'{range .status.timings[*]}{.stage}: {.startedAt} to {.finishedAt}{"\\n"}{end}'""",
        shows="apply: ",
    )
    sam.types("kubectl get configmap dev-1-log -o jsonpath='{.data.log}' | tail -n 5", shows="Apply complete!")


def _change_workspace(sam: Person) -> None:
    heading("The workspace is changed")
    say("The API server rejects a value that the template does not allow. A valid change becomes a new job.")
    sam.is_refused(_change('{"parameters":[{"name":"size","value":"64"}]}'), shows='size is "64" and must be')
    change = '{"parameters":[{"name":"region","value":"us-east"},{"name":"size","value":"4"}]}'
    sam.types(_change(change))
    sam.types(_until_ready("ws/dev"))
    sam.types("kubectl get ws dev -o jsonpath='{.status.outputs[0].value}'", shows="machine of size 4")


def _stop_workspace(sam: Person) -> None:
    heading("The workspace is stopped")
    say("Terraform deletes the machine and keeps the disk.")
    sam.types(_change('{"running":false}'))
    sam.types(_until_ready("ws/dev"))
    sam.types(
        """kubectl get pj dev-3 -o jsonpath='{range .status.resources[*]}{.action} {.address}{"\\n"}{end}'""",
        shows="delete terraform_data.machine[0]",
    )


def _match_no_daemon(sam: Person) -> None:
    heading("No daemon matches a job")
    say("The job stays pending; its status says why, and what would help.")
    sam.types("kubectl apply -f demo/jobs/tokyo.yaml")
    sam.types(_until("{.status.reason}", "NoMatchingDaemon", "pj/tokyo"))
    sam.types("kubectl get pj tokyo -o jsonpath='{.status.message}'", shows="datacenter=tokyo")


def _refuse_cancel(sam: Person) -> None:
    heading("Sam may not cancel the job")
    say("Permission to submit jobs does not include canceling them: an admission policy rejects the request.")
    sam.is_refused(_cancel("tokyo"), shows='"sam" may not cancel provisionerjobs "tokyo"')


def _cancel_pending(ada: Person) -> None:
    heading("Ada cancels the job")
    say("Her role has the verb `cancel`. A pending job ends at once.")
    ada.types(_cancel("tokyo"))
    ada.types(_until("{.status.phase}", "Canceled", "pj/tokyo"))
    ada.types("kubectl get pj tokyo -o wide", shows="Canceled by ada")


def _cancel_running(sam: Person, ada: Person) -> None:
    heading("A running job is canceled")
    say("Its daemon interrupts the run, and kills it if it does not stop within the daemon's grace period.")
    sam.types("kubectl apply -f demo/jobs/training.yaml")
    sam.types(_until("{.status.phase}", "Running", "pj/training"))
    ada.types(_cancel("training", "too expensive"))
    ada.types(_until("{.status.phase}", "Canceled", "pj/training"))
    ada.types(
        "kubectl get pj training -o jsonpath='{.spec.canceledBy}: {.spec.cancelReason}. {.status.message}'",
        shows="ada: too expensive. The run was stopped",
    )


def _cancel_by_api(sam: Person, ada: Person) -> None:
    heading("The same through the REST API")
    say(
        "The web server answers as Coder does, to each user what the user's own rights permit. `api` sends a request with "
        "the user's token, as curl would."
    )
    sam.types("kubectl apply -f demo/jobs/osaka.yaml")
    sam.types(_until("{.status.reason}", "NoMatchingDaemon", "pj/osaka"))
    sam.types("api GET '/api/v2/organizations/acme/provisionerjobs?status=pending'", shows='"datacenter":"osaka"')
    job = "$(kubectl get pj osaka -o jsonpath='{.metadata.uid}')"
    sam.types(f'api GET "/api/provisioner/v1/jobs/{job}/why"', shows="NoMatchingDaemon")
    sam.is_refused(f'api PATCH "/api/v2/workspacebuilds/{job}/cancel"', shows="may not cancel")
    ada.types(f'api PATCH "/api/v2/workspacebuilds/{job}/cancel"', shows="marked as canceled")
    ada.types(_until("{.status.phase}", "Canceled", "pj/osaka"))


def _time_out(sam: Person, ada: Person) -> None:
    heading("A hanging job times out")
    say("Its deadline is three seconds, but its run would take five minutes. It ignores the interrupt, and is killed.")
    sam.types("kubectl apply -f demo/jobs/hanging.yaml")
    ada.types(_until("{.status.phase}", "Failed", "pj/hanging"))
    ada.types("""kubectl get pj hanging -o jsonpath='{.status.reason}: {.status.message}'""", shows="DeadlineExceeded")
    ada.types(_until("{.status.state}", "Idle", "pd/plain"))


def _lose_daemon(environment: Environment) -> None:
    heading("A daemon is killed")
    say(
        "The daemon chicago dies while it runs a job. Its heartbeats stop; after 15 seconds (by default 300) the job fails."
    )
    sam, ada = environment.sam, environment.ada
    sam.types("kubectl apply -f demo/jobs/nightly.yaml")
    sam.types(_until("{.status.phase}", "Running", "pj/nightly"))
    environment.programs.expect_kill("chicago")
    ada.types(f"kill -9 {environment.programs.pid('chicago')}")
    environment.programs.reap()
    ada.types(_until("{.status.phase}", "Failed", "pj/nightly", LOST_WITHIN))
    ada.types("kubectl get pj nightly -o jsonpath='{.status.reason}: {.status.message}'", shows="DaemonLost")
    ada.types("kubectl get pd", shows="Offline")


def _delete_workspace(sam: Person) -> None:
    heading("The workspace is deleted")
    say(
        "The daemon newyork destroys the remaining disk, because Terraform's state is in the cluster and not on the daemon."
    )
    sam.types("kubectl delete ws dev --timeout=60s")
    sam.types(
        "kubectl get pj dev-4 -o jsonpath="
        """'{.status.assignment.daemon}: {.status.resources[0].action} {.status.resources[0].address}'""",
        shows="newyork: delete terraform_data.disk",
    )
    sam.types("kubectl get ws", shows="No resources found")


def _sum_up(ada: Person) -> None:
    heading("All jobs and their final phases")
    rows = [line.split() for line in ada.types("kubectl get pj").splitlines()]
    found = {row[0]: row for row in rows[1:]}
    for job, phase in ENDS.items():
        if phase not in found.get(job, []):
            raise UnexpectedResultError(f"Expected job {job} to be {phase}.")


def _until(path: str, value: str, what: str, seconds: int = 60) -> str:
    return f"kubectl wait --for=jsonpath='{path}'={value} --timeout={seconds}s {what}"


def _until_ready(what: str, seconds: int = 60) -> str:
    return f"kubectl wait --for=condition=Ready --timeout={seconds}s {what}"


def _change(spec: str) -> str:
    return f"""kubectl patch ws dev --type merge -p '{{"spec":{spec}}}'"""


def _cancel(job: str, reason: str = "") -> str:
    why = f',"cancelReason":"{reason}"' if reason else ""
    return f"""kubectl patch pj {job} --type merge -p '{{"spec":{{"cancel":true{why}}}}}'"""
