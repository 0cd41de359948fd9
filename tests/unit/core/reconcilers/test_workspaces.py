from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.reconcilers.workspaces import WorkspaceReconciler
from support.builders.workspaces import a_build, a_template, a_workspace, an_import


def test_what_was_made_and_has_not_ended_is_known_so_that_a_list_can_miss_it() -> None:
    mirror = WorkspaceReconciler()
    mirror.observe_template(a_template())
    mirror.observe_workspace(a_workspace())
    ended, waiting, importing = a_build(1), a_build(2, phase=Phase.PENDING), an_import(phase=Phase.RUNNING)
    mirror.observe_build(ended)
    mirror.observe_build(waiting)
    mirror.observe_import(importing)

    assert mirror.unfinished_jobs() == {
        waiting.job_uid: (waiting.namespace, waiting.record.job),
        importing.job_uid: (importing.namespace, importing.job),
    }
    mirror.job_deleted(waiting.job_uid)
    mirror.job_deleted(importing.job_uid)
    assert mirror.unfinished_jobs() == {}
