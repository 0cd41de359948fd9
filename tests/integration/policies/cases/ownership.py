"""Changes of other users' jobs."""

from integration.policies.cases.case import Case, Request, patch, spec

_FINALIZED = {"metadata": {"finalizers": ["example.org/x"]}}


def _refused(title: str, request: Request, says: str) -> Case:
    return Case("job-ownership", title, "submitter", request, refused=says)


def _allowed(title: str, who: str, request: Request) -> Case:
    return Case("job-ownership", title, who, request)


CASES = (
    *(
        _refused(
            f"a submitter changes {field} of another's job",
            spec("pj", "plain", **{field: value}),
            f'user "submitter" may not change spec.{field} of provisionerjobs "plain", which is of "boss"',
        )
        for field, value in (("suspend", True), ("priority", -9), ("ttlSecondsAfterFinished", 0))
    ),
    _refused(
        "a submitter gives another's job a finalizer",
        patch("pj", "plain", _FINALIZED),
        'user "submitter" may not change metadata.finalizers of provisionerjobs "plain", which is of "boss"',
    ),
    _refused(
        "a submitter changes a job of no known user",
        spec("pj", "unstamped", suspend=True),
        'provisionerjobs "unstamped", which is of no known user',
    ),
    _allowed(
        "a submitter labels another's job", "submitter", patch("pj", "plain", {"metadata": {"labels": {"a": "b"}}})
    ),
    _allowed(
        "a submitter takes a finalizer away", "submitter", patch("pj", "finalized", {"metadata": {"finalizers": []}})
    ),
    _allowed(
        "a submitter keeps a finalizer", "submitter", patch("pj", "finalized", {"metadata": {"labels": {"a": "b"}}})
    ),
    _allowed("the initiator changes the job", "submitter", spec("pj", "submitted", suspend=True)),
    _allowed("the initiator gives it a finalizer", "submitter", patch("pj", "submitted", _FINALIZED)),
    _allowed("the workspace's owner changes its job", "submitter", spec("pj", "strict", suspend=True)),
    _allowed("who may cancel changes a job", "canceler", spec("pj", "plain", suspend=True)),
    Case(
        "job-ownership",
        "an admin exchanges a field for another",
        "namespace-admin",
        spec("pj", "of-a-template", templateRef=None, parallelism=3),
        refused="immutable fields can be neither added nor removed: spec.templateRef, spec.parallelism.",
    ),
    _allowed("who may delete changes a job", "controller", spec("pj", "plain", ttlSecondsAfterFinished=0)),
)
