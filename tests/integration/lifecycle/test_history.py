"""The history of a namespace's policy: the jobs that ended first are deleted, whoever runs the controller when they end."""

from support.builders.manifests import a_queue_manifest
from support.test_namespace import ProductNamespace


def test_only_the_last_jobs_of_each_outcome_and_workspace_are_kept(own_product: ProductNamespace) -> None:
    product = own_product
    jobs = product.jobs
    with product.operator(), product.daemon("single"):
        for name in ("first", "second", "third"):
            product.submit(name)
            jobs.until(name, "Completed")
        for name in ("stopped-1", "stopped-2"):
            product.submit(name, tags={"no": "daemon"}, workspaceRef={"name": "dev"})
            product.cancel(name)
            jobs.until(name, "Canceled")
    # Nothing was deleted so far: jobs without a time to live are kept.
    assert len(product.admin.list_all("pj")) == 5

    product.admin.create(a_queue_manifest(history={"completed": 2, "perWorkspace": 1}))
    with product.operator(), product.daemon("single"):
        jobs.until_gone("first")
        jobs.until_gone("stopped-1")
        product.submit("fourth")
        jobs.until_gone("second")
        product.admin.patch("pq", "default", {"spec": {"history": {"completed": 1}}})
        jobs.until_gone("third")
        product.admin.run("delete", "pq", "default")
        product.submit("fifth")
        jobs.until("fifth", "Completed")
    assert {each["metadata"]["name"] for each in product.admin.list_all("pj")} == {"stopped-2", "fourth", "fifth"}
