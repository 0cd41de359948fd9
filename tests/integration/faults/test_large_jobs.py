"""A controller starts within its memory limit however large the jobs are."""

import re
from pathlib import Path

from support.test_namespace import ProductNamespace, a_job, names

JOBS = names("large", 150)
LARGEST_FILE = 250 * 1024
"""Two of these are nearly the largest inline source."""
MOST_MEBIBYTES = 256
"""Half of the deployment's limit. All these jobs have 75 MiB as JSON, and several times that once they are decoded."""


def test_jobs_with_the_largest_sources_do_not_fill_the_memory(product: ProductNamespace) -> None:
    files = {f"{name}.tf": "x" * LARGEST_FILE for name in ("main", "other")}
    for name in JOBS:
        product.admin.create(a_job(name, suspend=True, source={"inline": {"files": files}}))
    with product.operator() as operator:
        operator.await_that(lambda: sum(operator.metrics("provisioner_jobs{").values()) == len(JOBS), "knows the jobs")
        status = Path(f"/proc/{operator.pid}/status").read_text(encoding="utf-8")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    assert int(found[1]) / 1024 < MOST_MEBIBYTES
