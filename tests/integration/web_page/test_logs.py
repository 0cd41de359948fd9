"""The log of a job in a browser: live, whole, downloaded, or closed to the user."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import expect

from integration.web_page.conftest import HERE, NOWHERE, Visits
from support.builders.manifests import role_binding
from support.cluster.role_bindings import grant_roles
from support.programs.page_visit import PageVisit
from support.test_namespace import ProductNamespace
from support.unique import unique


def test_the_log_of_a_job_can_be_read_and_downloaded(product: ProductNamespace, visits: Visits) -> None:
    grant_logs(product, visits.users.name("namespace-admin"))
    name = unique("ended")
    product.submit(name, tags=HERE, lines=5)
    product.jobs.until(name, "Completed")
    with visits.visit() as visit:
        page = visit.open(f"provisioner-jobs/{name}/logs")
        expect(page.locator("#log li").first).to_be_visible()
        expect(page.get_by_text("From the archive, ConfigMap")).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download").click()
        assert download.value.suggested_filename == f"{name}.log"
        page.get_by_label("Wrap lines").uncheck()
        expect(page.locator("#log")).to_have_class(re.compile("nowrap"))


def test_the_log_of_a_running_job_grows_while_the_page_is_seen(product: ProductNamespace, visits: Visits) -> None:
    grant_logs(product, visits.users.name("namespace-admin"))
    name = unique("running")
    product.submit_held(name, tags=HERE, lines=3)
    with visits.visit() as visit:
        page = visit.open(f"provisioner-jobs/{name}/logs")
        # The daemon runs in no Pod, so the lines come from the archive, which it saves first after ten seconds.
        expect(page.locator("#log")).to_contain_text("line 3 of 3", timeout=60_000)
        expect(page.locator("#live")).to_contain_text("Following")
        visit.hide(hidden=True)
        expect(page.locator("#live")).to_contain_text("Paused")
        product.ledger.release(name)
        product.jobs.until(name, "Completed")
        expect(page.locator("#log")).not_to_contain_text("The job completed")
        visit.hide(hidden=False)
        expect(page.locator("#log")).to_contain_text("The job completed", timeout=60_000)
        expect(page.locator("#live")).to_contain_text("Ended")
        numbers = page.locator("#log li").evaluate_all("lines => lines.map(line => Number(line.dataset.line))")
        assert numbers == list(range(1, len(numbers) + 1))


def test_a_log_that_grows_keeps_the_lines_that_were_asked_for(product: ProductNamespace, visits: Visits) -> None:
    grant_logs(product, visits.users.name("namespace-admin"))
    name = unique("long")
    product.submit_held(name, tags=HERE, lines=5100)
    with visits.visit() as visit:
        page = visit.open(f"provisioner-jobs/{name}/logs")
        expect(page.locator("#log")).to_contain_text("line 5100 of 5100", timeout=60_000)
        page = visit.open(f"provisioner-jobs/{name}/logs?lines=20000")
        expect(page.locator("#live")).to_contain_text("Following")
        product.ledger.release(name)
        expect(page.locator("#log")).to_contain_text("The job completed", timeout=60_000)
        assert page.locator("#log li").count() >= 5100


def test_a_log_says_that_its_job_was_deleted_and_stops(product: ProductNamespace, visits: Visits) -> None:
    name = unique("deleted")
    with following(product, visits, name) as visit:
        product.admin.delete("pj", name)
        visit.expect_closed("Gone", f"There is no job {name} in organization {visit.org}.")


def test_a_log_does_not_continue_with_that_of_another_job_of_its_name(
    product: ProductNamespace, visits: Visits
) -> None:
    name = unique("renewed")
    with following(product, visits, name) as visit:
        visit.hide(hidden=True)
        product.admin.delete("pj", name)
        product.submit(name, tags=NOWHERE)
        visit.hide(hidden=False)
        visit.expect_closed("Gone", f"There is no job {name} in organization {visit.org}")


@contextmanager
def following(product: ProductNamespace, visits: Visits, name: str) -> Iterator[PageVisit]:
    """Follow the log of a job that no daemon can run, in a window whose clock the test moves."""
    product.submit(name, tags=NOWHERE)
    with visits.visit() as visit:
        visit.refusals_expected = True
        visit.page.clock.install()
        page = visit.open(f"provisioner-jobs/{name}/logs")
        expect(page.locator("#live")).to_contain_text("Following")
        yield visit


def grant_logs(product: ProductNamespace, user: str) -> None:
    """Let the user read ConfigMaps; the API server enforces bindings in the order of their creation."""
    viewing = role_binding(user, "view", namespace=product.namespace)
    last = role_binding(unique("last"), "provisioner-viewer", namespace=product.namespace)
    viewing["metadata"]["name"] = unique("view")
    grant_roles(product.admin, [viewing, last])


def test_a_job_whose_log_is_closed_says_which_right_is_missing(product: ProductNamespace, visits: Visits) -> None:
    name = unique("ended")
    product.submit(name, tags=HERE)
    product.jobs.until(name, "Completed")
    with visits.visit("viewer") as visit:
        visit.refusals_expected = True
        page = visit.open(f"provisioner-jobs/{name}/logs")
        expect(page.locator("main")).to_contain_text('cannot get resource "configmaps"')
