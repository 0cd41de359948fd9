"""Live lists: rows stay where somebody works, updates shift nothing, and the end of what was canceled is reported."""

from playwright.sync_api import Page, Route, expect

from integration.web_page.conftest import NOWHERE, Visits
from support.test_namespace import ProductNamespace
from support.unique import unique

WATCH_SHIFTS = """
window.shifts = [];
window.watch = new PerformanceObserver((list) => shifts.push(...list.getEntries()));
watch.observe({ type: 'layout-shift' });
"""
SHIFTS = """
new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => drawn(
  [...shifts, ...watch.takeRecords()].flatMap((each) => each.sources).map(({ node }) => node?.nodeType === 1 ? node : node?.parentElement)
    .filter((each) => !each?.closest('[data-label=Status]')).map((each) => each?.outerHTML ?? 'gone')))))
"""
"""All that moved, but what is in the status that changes."""


def a_stuck_job(product: ProductNamespace) -> str:
    name = unique("stuck")
    product.submit(name, tags=NOWHERE)
    return name


def cancel_in_dialog(page: Page) -> None:
    page.get_by_role("dialog").get_by_role("button", name="Cancel job").click()
    expect(page.locator("#toasts")).to_contain_text("Cancel requested")


def test_a_later_page_changes_in_place_only(product: ProductNamespace, visits: Visits) -> None:
    prefix = unique("many")
    names = [f"{prefix}-{number}" for number in range(27)]
    product.submit_all(names, tags=NOWHERE)
    product.jobs.until_all(names, phases=["Pending"])
    with visits.visit() as visit:
        page = visit.live(f"provisioner-jobs?status=pending&limit=25&q={prefix}")
        page.get_by_role("link", name="Older").click()
        page.locator('#live[data-state="live"]').wait_for()
        shown = page.locator("tr.row").evaluate_all("rows => rows.map(row => row.dataset.name)")
        assert len(shown) == 2
        product.cancel(shown[0])
        expect(visit.row(shown[0])).to_have_attribute("data-gone", "")
        assert page.locator("tr.row").evaluate_all("rows => rows.map(row => row.dataset.name)") == shown


def test_provisioners_stay_in_place_while_somebody_points_at_them(product: ProductNamespace, visits: Visits) -> None:
    first, second = sorted(unique("spare") for _ in range(2))
    product.a_daemon_without_process(second, tags={"place": "spare"})
    with visits.visit() as visit:
        page = visit.live("provisioners")
        visit.row(second).hover()
        box = visit.row(second).bounding_box()
        product.a_daemon_without_process(first, tags={"place": "spare"})
        product.admin.patch("pd", second, {"spec": {"cordoned": True}})
        expect(visit.row(second).get_by_role("link", name=f"Uncordon {second}")).to_be_visible()
        expect(visit.row(first)).to_have_count(0)
        assert visit.row(second).bounding_box() == box
        page.get_by_role("heading", name="Provisioners").hover()
        expect(visit.row(first)).to_be_visible()


def test_a_place_in_the_queue_changes_alone(product: ProductNamespace, visits: Visits) -> None:
    prefix, tags = unique("queued"), {"place": unique("nowhere")}
    names = [f"{prefix}-{number}" for number in (1, 2)]
    product.submit_all(names, tags=tags)
    product.jobs.until_all(names, phases=["Pending"])
    with visits.visit() as visit:
        page = visit.live(f"provisioner-jobs?q={prefix}")
        first, second = (visit.row(name).locator(".place") for name in names)
        expect(first).to_have_text("1/2")
        row = visit.row(names[0]).element_handle()
        product.admin.patch("pj", names[1], {"spec": {"priority": 5}})
        expect(first).to_have_text("2/2")
        expect(second).to_have_text("1/2")
        assert page.evaluate("row => row.isConnected && row.querySelector('.place').textContent", row) == "2/2"


def test_updates_move_nothing_else(product: ProductNamespace, visits: Visits) -> None:
    name = a_stuck_job(product)
    with visits.visit() as visit:
        page = visit.live(f"provisioner-jobs?q={name}")
        expect(visit.row(name)).to_contain_text("NoMatchingDaemon")
        page.evaluate(WATCH_SHIFTS)
        product.admin.patch("pj", name, {"spec": {"suspend": True}})
        expect(visit.row(name)).to_contain_text("Suspended")
        page.locator("#disconnected").evaluate("banner => { banner.hidden = false }")
        product.cancel(name)
        expect(visit.row(name)).to_contain_text("Canceled")
        assert page.evaluate(SHIFTS) == []


def test_the_end_of_a_job_that_has_left_the_list_is_reported(product: ProductNamespace, visits: Visits) -> None:
    name = a_stuck_job(product)
    with visits.visit() as visit:
        page = visit.live(f"provisioner-jobs?status=pending&q={name}")
        visit.row(name).locator("[data-cancel]").click()
        cancel_in_dialog(page)
        expect(page.locator("#toasts")).to_contain_text(f"{name} is Canceled")
        expect(page.get_by_role("heading", name="No jobs match these filters")).to_be_visible()
        expect(page.locator("#main")).to_be_focused()


def test_the_page_of_a_job_has_keys_and_reports_its_end(product: ProductNamespace, visits: Visits) -> None:
    name = a_stuck_job(product)
    with visits.visit() as visit:
        page = visit.live(f"provisioner-jobs/{name}")
        page.keyboard.press("c")
        cancel_in_dialog(page)
        expect(page.locator("#toasts")).to_contain_text(f"{name} is Canceled")
        page.keyboard.press("r")
        expect(page.get_by_role("dialog", name=f"Retry job {name}")).to_be_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("l")
        expect(page.get_by_role("heading", name=f"Log of {name}")).to_be_visible()


def test_the_message_of_the_status_is_there_before_the_details(product: ProductNamespace, visits: Visits) -> None:
    name = a_stuck_job(product)
    body = product.jobs.until(name, lambda found: "message" in found.get("status", {}))
    with visits.visit() as visit:
        page = visit.live(f"provisioner-jobs?q={name}")
        held: list[Route] = []
        page.route(f"**/provisioner-jobs/{name}", lambda route: held.append(route))  # noqa: PLW0108 # Playwright marks its handlers
        visit.row(name).locator("[data-expand]").click()
        expect(page.locator("tr.detail")).to_contain_text(body["status"]["message"])
        expect(page.locator("tr.detail .bone").first).to_be_visible()
        for route in held:
            route.continue_()
        expect(page.get_by_role("article", name=f"Job {name}")).to_be_visible()
