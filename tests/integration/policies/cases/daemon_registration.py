"""ProvisionerDaemons that a daemon creates, changes and deletes itself."""

from integration.policies.cases.case import Case, Request, create, delete, patch, spec
from integration.policies.cases.objects import owner_reference, with_metadata
from support.builders.manifests import a_daemon_manifest

_METADATA = "a daemon may not change labels, annotations, ownerReferences or finalizers of a ProvisionerDaemon"
_CORDON = "a daemon may not change spec.cordoned"
_OWNER = owner_reference("Pod", "mine", "UID-OF-Pod-mine")
_LABELED = {"metadata": {"labels": {"team": "x"}}}


def _case(title: str, who: str, request: Request, says: str | None = None) -> Case:
    return Case("daemon-registration", title, who, request, refused=says)


def _not_its_own(title: str, who: str, request: Request, name: str) -> Case:
    return _case(title, who, request, f'daemon "{who}" may not write provisionerdaemons "{name}"')


def _new(name: str = "named-new", **metadata: object) -> Request:
    return create(with_metadata(a_daemon_manifest(name), **metadata))


CASES = (
    _case("the daemon that it may speak for", "named-daemon", _new()),
    _case("any daemon, by who may speak for all", "spokesman", _new()),
    _not_its_own("a daemon that it may not speak for", "named-daemon", _new("another"), "another"),
    _not_its_own("a daemon without a permission for any", "external-daemon", _new(), "named-new"),
    _case("its tags", "named-daemon", spec("pd", "named", tags={"region": "us"})),
    _not_its_own("the tags of another daemon", "named-daemon", spec("pd", "mine", tags={"region": "us"}), "mine"),
    _case(
        "the tags of a Pod's daemon, by the Pod",
        "POD-mine",
        spec("pd", "mine", tags={"region": "us"}),
        'may not write provisionerdaemons "mine"',
    ),
    _case("its end", "named-daemon", delete("pd", "named")),
    _not_its_own("the end of another daemon", "named-daemon", delete("pd", "mine"), "mine"),
    _case("a new daemon with an owner", "named-daemon", _new(ownerReferences=[_OWNER]), _METADATA),
    _case("a new daemon with a finalizer", "named-daemon", _new(finalizers=["example.org/x"]), _METADATA),
    _case("a label", "named-daemon", patch("pd", "named", _LABELED), _METADATA),
    _case("an owner", "named-daemon", patch("pd", "named", {"metadata": {"ownerReferences": [_OWNER]}}), _METADATA),
    _case(
        "a new daemon that is cordoned", "named-daemon", create(a_daemon_manifest("named-new", cordoned=True)), _CORDON
    ),
    _case("a cordon of its own", "named-daemon", spec("pd", "named", cordoned=True), _CORDON),
    _case(
        "the end of an administrator's cordon", "named-daemon", spec("pd", "named-cordoned", cordoned=False), _CORDON
    ),
    _case("the tags of a cordoned daemon", "named-daemon", spec("pd", "named-cordoned", tags={"region": "us"})),
    *(
        _case(f"{who} is no daemon", who, patch("pd", "named", _LABELED))
        for who in ("controller", "overseer", "system:a-component")
    ),
)
