"""Objects that a daemon stores: log archives, and Terraform's state with its lock."""

from collections.abc import Callable

from integration.policies.cases.case import Case, Request, create, delete, patch
from integration.policies.cases.objects import config_map, lease, log_archive, owner_reference, secret
from provisioner_operator.api.v1alpha1.names import API_VERSION
from support.manifests import Manifest

_ONLY_ARCHIVES = "a daemon may create and update no ConfigMaps but log archives of its jobs"
_JOB_UID = "UID-OF-ProvisionerJob-mine-pending"
_JOB = owner_reference("ProvisionerJob", "mine-pending", _JOB_UID, API_VERSION)
_OTHER_JOB = owner_reference("ProvisionerJob", "plain", "UID-OF-ProvisionerJob-plain", API_VERSION)
_NO_DAEMONS = ("controller", "spokesman", "system:a-component")


def _logs(title: str, who: str, request: Request, says: str | None = None) -> Case:
    return Case("daemon-logs", title, who, request, refused=says)


def _state(title: str, who: str, request: Request, says: str | None = None) -> Case:
    return Case("daemon-state", title, who, request, refused=says)


def _owned_by(*owners: dict[str, str]) -> Request:
    return create(log_archive("mine-pending", ownerReferences=list(owners)))


def _data(kind: str, name: str) -> Request:
    return patch(kind, name, {"metadata": {"labels": {"changed": "yes"}}})


LOGS = (
    _logs("its own archive", "POD-mine", create(log_archive("mine-pending"))),
    _logs("more of its own archive", "POD-mine", _data("configmap", "mine-running-log")),
    _logs("a ConfigMap that is none", "POD-mine", create(config_map("another")), _ONLY_ARCHIVES),
    _logs("a stored ConfigMap that is none", "POD-mine", _data("configmap", "files"), _ONLY_ARCHIVES),
    _logs(
        "an archive's label under another name",
        "POD-mine",
        create(log_archive("mine-pending", name="files-of-a-template")),
        _ONLY_ARCHIVES,
    ),
    _logs("an archive without a label", "POD-mine", create(log_archive("mine-pending", labels={})), _ONLY_ARCHIVES),
    _logs("an archive of another job's", "POD-mine", _owned_by(_OTHER_JOB), _ONLY_ARCHIVES),
    _logs("an archive with a second owner", "POD-mine", _owned_by(_JOB, _OTHER_JOB), _ONLY_ARCHIVES),
    _logs(
        "an archive of something that is no job",
        "POD-mine",
        _owned_by(owner_reference("ConfigMap", "mine-pending", _JOB_UID)),
        _ONLY_ARCHIVES,
    ),
    _logs(
        "another owner of a stored archive",
        "POD-mine",
        patch(
            "configmap",
            "mine-running-log",
            {
                "metadata": {
                    "ownerReferences": [
                        owner_reference("ProvisionerJob", "mine-running", "UID-OF-ProvisionerJob-plain", API_VERSION)
                    ]
                }
            },
        ),
        _ONLY_ARCHIVES,
    ),
    _logs("the end of its own archive", "POD-mine", delete("configmap", "mine-running-log"), _ONLY_ARCHIVES),
    _logs(
        "another daemon's archive",
        "POD-mine",
        create(log_archive("mine-pending", writer="other")),
        'daemon "mine" may not write the log archive of daemon "other"',
    ),
    _logs(
        "a stored archive of another daemon, claimed",
        "POD-mine",
        patch("configmap", "other-running-log", {"metadata": {"annotations": {"provisioner.dev/daemon": "mine"}}}),
        'daemon "mine" may not write the log archive of daemon "other"',
    ),
    _logs(
        "an archive of nobody's, by a daemon that is no Pod",
        "external-daemon",
        create(log_archive("mine-pending", writer=None)),
        'daemon "" may not write the log archive of daemon ""',
    ),
    _logs(
        "the archive of the daemon it speaks for", "named-daemon", create(log_archive("mine-pending", writer="named"))
    ),
    _logs(
        "the archive of a daemon it does not speak for",
        "named-daemon",
        create(log_archive("mine-pending")),
        'may not write the log archive of daemon "mine"',
    ),
    *(_logs(f"{who} is no daemon", who, create(config_map("another"))) for who in _NO_DAEMONS),
    _logs(
        "a ConfigMap that is none, by a daemon that is no Pod",
        "external-daemon",
        create(config_map("another")),
        _ONLY_ARCHIVES,
    ),
)


def _states(
    kind: str, make: Callable[[str], Manifest], *, prefix: str, foreign: str, others_prefix: str
) -> tuple[Case, ...]:
    own, wrong = f"{prefix}default-dev", f"{others_prefix}default-dev"
    refused = (
        (f"another {kind}", "another", create(make("another"))),
        (f"a {kind} with the prefix of the other kind", wrong, create(make(wrong))),
        (f"a stored {kind} of others", foreign, _data(kind, foreign)),
        (f"the end of a {kind} of others", foreign, delete(kind, foreign)),
    )
    return (
        _state(f"a {kind} of Terraform's", "POD-mine", create(make(f"{own}-2"))),
        _state(f"a stored {kind} of Terraform's", "POD-mine", _data(kind, own)),
        _state(f"the end of a {kind} of Terraform's", "POD-mine", delete(kind, own)),
        *(
            _state(title, "POD-mine", request, f'whose names begin with "{prefix}": the name "{name}" does not')
            for title, name, request in refused
        ),
        *(_state(f"another {kind}, by {who}, no daemon", who, create(make("another"))) for who in _NO_DAEMONS),
        _state(
            f"another {kind}, by a daemon that is no Pod",
            "external-daemon",
            create(make("another")),
            'the name "another" does not',
        ),
    )


CASES = (
    *LOGS,
    *_states("secret", secret, prefix="tfstate-", foreign="cloud", others_prefix="lock-tfstate-"),
    *_states("lease", lease, prefix="lock-tfstate-", foreign="leader", others_prefix="tfstate-"),
)
