"""Every page and state without a fault that axe finds, in light and dark, wide and narrow."""

import pytest
from playwright.sync_api import Page, expect

from integration.web_page.conftest import HERE, NOWHERE, Visits
from support.programs.page_visit import PageVisit
from support.test_namespace import ProductNamespace


@pytest.fixture(scope="module")
def filled(product: ProductNamespace) -> ProductNamespace:
    """A namespace with a job of each sort."""
    product.submit("stuck", tags=NOWHERE)
    product.submit("ended", tags=HERE, lines=5, outputs='{"url": "https://dev.example.com/"}')
    product.submit("failed", tags=HERE, fail="no more disks")
    product.submit("canceled", tags=NOWHERE)
    product.cancel("canceled", cancelReason="<script>alert(1)</script>")
    product.submit_held("running", tags=HERE)
    product.jobs.until_all(["ended", "failed", "canceled"])
    product.jobs.until("running", "Running")
    return product


WIDTHS = (1280, 320)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_has_a_fault(filled: ProductNamespace, visits: Visits, width: int) -> None:
    with visits.visit(width=width) as visit:
        visit.refusals_expected = True
        found = {path: faults(visit, path) for path in pages(filled.namespace)}
        found["expanded"] = expanded(visit)
        found["dialog"] = dialog(visit)
        found["menu"] = menu(visit)
    assert {path: each for path, each in found.items() if each} == {}


def test_a_fault_of_dark_colors_alone_is_found(filled: ProductNamespace, visits: Visits) -> None:
    with visits.visit() as visit:
        page = visit.open(f"/organizations/{filled.namespace}/provisioner-jobs")
        page.evaluate(
            "rule => { const sheet = new CSSStyleSheet(); sheet.replaceSync(rule); document.adoptedStyleSheets = [sheet]; }",
            "@media (prefers-color-scheme: dark) { h1 { color: #333 !important } }",
        )
        found = checked(visit, page)
    assert {each.partition(": ")[0] for each in found} == {"color-contrast"}


def pages(org: str) -> list[str]:
    return [
        "/",
        "/me",
        "/cli-auth",
        "/login?problem=refused",
        "/organizations/-/provisioner-jobs",
        "/organizations/closed/provisioner-jobs",
        f"/organizations/{org}/cancel-jobs?job={org}/stuck&job={org}/running",
        "provisioner-jobs",
        "provisioner-jobs?status=stuck&since=24h&q=nothing",
        "provisioner-jobs/nothing",
        "provisioner-jobs/stuck",
        "provisioner-jobs/ended",
        "provisioner-jobs/failed",
        "provisioner-jobs/canceled",
        "provisioner-jobs/running/cancel",
        "provisioner-jobs/ended/logs",
        "provisioner-jobs?status=pending&limit=25",
        "/organizations/-/provisioners",
        "provisioners",
        "provisioners/d1/drain",
        "workspaces",
    ]


def faults(visit: PageVisit, path: str) -> list[str]:
    page = visit.open(path)
    expect(page.locator("h1")).to_be_visible()
    return [*checked(visit, page), *voices(page)]


def checked(visit: PageVisit, page: Page) -> list[str]:
    """Return what is wrong with the page as it stands. Dark or light changes nothing but its colors."""
    found = [*visit.violations(), *overflow(page)]
    page.emulate_media(color_scheme="dark")
    found += visit.color_violations()
    page.emulate_media(color_scheme="light")
    return found


def voices(page: Page) -> list[str]:
    """Return a word if more than one part of the page speaks up by itself, beside alerts."""
    found = page.locator("[role=status], [aria-live]").count()
    return [] if found == 1 else [f"{found} live regions"]


def overflow(page: Page) -> list[str]:
    """Return a word if one has to scroll sideways."""
    is_wider = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return ["scrolls sideways"] if is_wider else []


def expanded(visit: PageVisit) -> list[str]:
    page = visit.live()
    visit.row("stuck").locator("[data-expand]").click()
    visit.row("failed").locator("[data-expand]").click()
    expect(page.get_by_role("article", name="Job stuck")).to_be_visible()
    expect(page.get_by_role("article", name="Job failed")).to_be_visible()
    return checked(visit, page)


def menu(visit: PageVisit) -> list[str]:
    page = visit.live()
    page.locator("details.menu summary").click()
    expect(page.get_by_role("link", name="All organizations")).to_be_visible()
    return checked(visit, page)


def dialog(visit: PageVisit) -> list[str]:
    page = visit.live()
    visit.row("stuck").locator("[data-cancel]").click()
    expect(page.get_by_role("dialog").get_by_label("Reason")).to_be_visible()
    return checked(visit, page)
