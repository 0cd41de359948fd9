"""The list of jobs in a browser: find, understand, cancel; live, by keyboard, without script."""

import re

from playwright.sync_api import expect

from integration.web_page.conftest import HERE, NOWHERE, Visits
from support.test_namespace import ProductNamespace
from support.unique import unique


def a_stuck_job(product: ProductNamespace, **spec: object) -> str:
    name = unique("stuck")
    product.submit(name, tags=NOWHERE, **spec)
    return name


def a_running_job(product: ProductNamespace) -> str:
    name = unique("running")
    product.submit_held(name, tags=HERE)
    product.jobs.until(name, "Running")
    return name


def test_an_admin_finds_a_stuck_job_understands_it_and_cancels_it(product: ProductNamespace, visits: Visits) -> None:
    name = a_stuck_job(product)
    with visits.visit() as visit:
        page = visit.live()
        page.get_by_role("link", name=re.compile("^Stuck")).click()
        row = visit.row(name)
        expect(row).to_contain_text("NoMatchingDaemon")

        row.get_by_role("link", name=f"Details of job {name}").click()
        detail = page.get_by_role("article", name=f"Job {name}")
        expect(detail).to_contain_text("Why it is pending")
        expect(detail).to_contain_text("d1 has place=here, not nowhere.")
        expect(row.locator("[data-expand]")).to_have_attribute("aria-expanded", "true")

        row.get_by_role("link", name=f"Cancel job {name}").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("It leaves the queue and becomes Canceled at once.")
        dialog.get_by_label("Reason").fill("wrong <b>tags</b>")
        dialog.get_by_role("button", name="Cancel job").click()

        expect(page.locator("#toasts")).to_contain_text("Cancel requested")
        expect(dialog).to_be_hidden()
        expect(page.locator("#announcer")).to_contain_text(re.compile("requested|Canceled"))
        body = product.jobs.until(name, "Canceled")
        assert body["spec"]["cancelReason"] == "wrong <b>tags</b>"


def test_a_running_job_is_interrupted_and_the_list_shows_its_end(product: ProductNamespace, visits: Visits) -> None:
    name = a_running_job(product)
    with visits.visit() as visit:
        page = visit.live()
        expect(visit.row(name)).to_contain_text("Running")
        visit.row(name).get_by_role("link", name=f"Cancel job {name}").click()
        expect(page.get_by_role("dialog")).to_contain_text("Its run is interrupted, and killed")
        page.get_by_role("dialog").get_by_role("button", name="Cancel job").click()
        expect(visit.row(name)).to_contain_text("Canceled")
        expect(page.locator("#toasts")).to_contain_text(f"{name} is Canceled")
        expect(visit.row(name).locator("[data-cancel]")).to_be_disabled()


def test_a_viewer_finds_the_ban_greyed_out_and_learns_why(product: ProductNamespace, visits: Visits) -> None:
    name = a_stuck_job(product)
    with visits.visit("viewer") as visit:
        page = visit.live()
        button = visit.row(name).get_by_role("button", name=f"Cancel job {name}")
        expect(button).to_have_attribute("aria-disabled", "true")
        expect(button).to_have_accessible_description(re.compile("you lack the verb patch on provisionerjobs"))
        button.focus()
        expect(button).to_be_focused()
        button.press("Enter")
        expect(page.locator("#toasts")).to_contain_text("provisioner-admin grants it")
        expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_viewer_finds_suspend_and_retry_greyed_out_as_well(product: ProductNamespace, visits: Visits) -> None:
    name = a_stuck_job(product)
    with visits.visit("viewer") as visit:
        page = visit.live(f"provisioner-jobs/{name}")
        button = page.get_by_role("button", name="Suspend")
        expect(button).to_have_accessible_description(re.compile("you lack the verb patch on provisionerjobs"))
        assert visit.violations() == []
        button.click(force=True)
        expect(page.locator("#toasts")).to_contain_text("You may not change this job: you lack the verb patch")
        product.cancel(name)
        button = page.get_by_role("button", name="Retry", exact=True)
        expect(button).to_have_accessible_description(re.compile("you lack the verb create on provisionerjobs"))
        page.keyboard.press("r")
        expect(page.locator("#toasts")).to_contain_text("You may not retry this job")
        expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_submitter_may_suspend_and_retry_what_is_the_submitters_own(
    product: ProductNamespace, visits: Visits
) -> None:
    visits.users.token("submitter")
    foreign, own = unique("foreign"), unique("own")
    product.submit(foreign, tags=NOWHERE)
    product.submit(own, tags=NOWHERE, initiator=visits.users.name("submitter"))
    with visits.visit("submitter") as visit:
        page = visit.live(f"provisioner-jobs/{foreign}")
        expect(page.get_by_role("button", name="Suspend")).to_have_attribute("aria-disabled", "true")
        page = visit.live(f"provisioner-jobs/{own}")
        page.get_by_role("link", name="Suspend").click()
        page.get_by_role("dialog").get_by_role("button", name="Suspend").click()
        expect(page.locator("#region")).to_contain_text("Why it is pending: Suspended")
        product.cancel(own)
        page.get_by_role("link", name="Retry").click()
        page.get_by_role("dialog").get_by_role("button", name="Retry").click()
        assert product.jobs.until(f"{own}-retry-1", "Pending")


def test_the_end_of_a_canceled_job_is_not_awaited_once_it_was_deleted(
    product: ProductNamespace, visits: Visits
) -> None:
    name = a_running_job(product)
    with visits.visit() as visit:
        visit.refusals_expected = True
        page = visit.live("provisioner-jobs?status=running")
        page.route(f"**/provisioner-jobs/{name}", lambda route: route.fulfill(status=404))
        visit.row(name).get_by_role("link", name=f"Cancel job {name}").click()
        page.get_by_role("dialog").get_by_role("button", name="Cancel job").click()
        expect(page.locator("#toasts")).to_contain_text(f"{name} no longer exists")


def test_a_refused_cancel_keeps_the_dialog_with_the_servers_words(product: ProductNamespace, visits: Visits) -> None:
    name = a_stuck_job(product)
    with visits.visit() as visit:
        visit.refusals_expected = True
        page = visit.open(f"provisioner-jobs/{name}")
        page.get_by_role("link", name="Cancel job").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("Only if it is still pending")
        product.admin.run("delete", "pj", name)
        dialog.get_by_role("button", name="Cancel job").click()
        expect(page.get_by_role("dialog")).to_contain_text("There is no job")


def test_a_submitter_is_refused_by_the_api_server_itself(product: ProductNamespace, visits: Visits) -> None:
    name = a_stuck_job(product)
    with visits.visit("submitter") as visit:
        visit.refusals_expected = True
        page = visit.open(f"provisioner-jobs/{name}/cancel")
        page.get_by_role("button", name="Cancel job").click()
        expect(page.get_by_role("alert")).to_contain_text('the verb "cancel" on resource "provisionerjobs"')
        assert not product.admin.get("pj", name)["spec"].get("cancel")


def test_a_new_job_waits_while_somebody_works_in_the_table(product: ProductNamespace, visits: Visits) -> None:
    first = a_stuck_job(product)
    with visits.visit() as visit:
        page = visit.live()
        link = visit.row(first).locator("[data-expand]")
        link.click()
        expect(page.get_by_role("article", name=f"Job {first}")).to_be_visible()
        link.focus()
        box = visit.row(first).bounding_box()

        second = a_stuck_job(product)
        waiting = page.locator("#waiting")
        expect(waiting).to_have_text(re.compile("1 new job"))
        expect(visit.row(second)).to_have_count(0)
        expect(link).to_be_focused()
        assert visit.row(first).bounding_box() == box

        waiting.click()
        expect(visit.row(second)).to_be_visible()
        expect(page.get_by_role("article", name=f"Job {first}")).to_be_visible()


def test_a_job_that_leaves_the_list_stays_faded_while_somebody_works_in_the_table(
    product: ProductNamespace, visits: Visits
) -> None:
    name = a_stuck_job(product)
    with visits.visit() as visit:
        page = visit.live("provisioner-jobs?status=pending")
        visit.row(name).locator("[data-expand]").focus()
        product.cancel(name)
        expect(visit.row(name)).to_have_attribute("data-gone", "")
        page.locator("[data-search]").focus()
        a_stuck_job(product)
        expect(visit.row(name)).to_have_count(0)


def test_a_new_job_slides_in_while_nobody_touches_the_table(product: ProductNamespace, visits: Visits) -> None:
    a_stuck_job(product)
    with visits.visit() as visit:
        page = visit.live()
        page.locator("[data-search]").fill("half a wo")
        name = a_stuck_job(product)
        expect(visit.row(name)).to_be_visible()
        expect(page.locator("[data-search]")).to_be_focused()
        expect(page.locator("[data-search]")).to_have_value("half a wo")


def test_a_change_keeps_the_focus_on_its_row(product: ProductNamespace, visits: Visits) -> None:
    name = a_stuck_job(product)
    with visits.visit() as visit:
        page = visit.live()
        visit.row(name).locator("[data-expand]").focus()
        product.admin.patch("pj", name, {"spec": {"suspend": True}})
        expect(visit.row(name)).to_contain_text("Suspended")
        expect(visit.row(name).locator("[data-expand]")).to_be_focused()
        assert page.locator("[data-new]").count() == 0


def test_a_hidden_page_closes_its_stream_and_comes_back_up_to_date(product: ProductNamespace, visits: Visits) -> None:
    with visits.visit() as visit:
        page = visit.live()
        visit.hide(hidden=True)
        expect(page.locator("#live")).to_contain_text("Paused")
        name = a_stuck_job(product)
        visit.hide(hidden=False)
        expect(visit.row(name)).to_be_visible()
        expect(page.locator("#live")).to_contain_text("Live")


def test_everything_works_by_keyboard_alone(product: ProductNamespace, visits: Visits) -> None:
    name = a_stuck_job(product)
    with visits.visit() as visit:
        page = visit.live(f"provisioner-jobs?q={name}")
        keys = page.keyboard
        keys.press("Tab")
        expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        keys.press("j")
        expect(visit.row(name).locator("[data-expand]")).to_be_focused()
        keys.press("Enter")
        expect(page.get_by_role("article", name=f"Job {name}")).to_be_visible()
        keys.press("c")
        dialog = page.locator("#dialog")
        expect(dialog).to_be_visible()
        expect(dialog.get_by_label("Reason")).to_be_focused()
        keys.type("because of c and j")
        expect(dialog.get_by_label("Reason")).to_have_value("because of c and j")
        keys.press("Escape")
        expect(dialog).to_be_hidden()
        expect(visit.row(name).locator("[data-expand]")).to_be_focused()
        keys.press("/")
        expect(page.locator("[data-search]")).to_be_focused()
        keys.press("Escape")
        keys.press("?")
        expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
        page.get_by_label("Use single-key shortcuts").uncheck()
        keys.press("Escape")
        keys.press("?")
        expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()


def test_several_jobs_are_canceled_at_once_each_with_its_result(product: ProductNamespace, visits: Visits) -> None:
    names = [a_stuck_job(product), a_stuck_job(product)]
    with visits.visit() as visit:
        page = visit.live()
        for name in names:
            page.get_by_label(f"Select job {name}").check()
        page.get_by_role("button", name="Cancel 2 selected…").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("Cancel 2 jobs")
        dialog.get_by_role("button", name="Cancel 2 jobs").click()
        expect(dialog).to_contain_text("Cancel requested for 2 of 2 jobs")
        for name in names:
            product.jobs.until(name, "Canceled")


def test_without_script_a_job_is_found_and_canceled(product: ProductNamespace, visits: Visits) -> None:
    name = a_stuck_job(product)
    with visits.visit(script=False) as visit:
        page = visit.open()
        page.get_by_label("Search jobs").fill(name)
        page.get_by_role("button", name="Search").click()
        visit.row(name).get_by_role("link", name=f"Details of job {name}").click()
        expect(page.get_by_text("Why it is pending")).to_be_visible()
        page.get_by_role("link", name="Cancel job").click()
        page.get_by_label("Reason").fill("no script")
        page.get_by_role("button", name="Cancel job").click()
        expect(page.locator("[data-notice]")).to_have_text("Cancel requested.")
        assert product.jobs.until(name, "Canceled")["spec"]["cancelReason"] == "no script"


def test_a_job_is_suspended_resumed_and_retried(product: ProductNamespace, visits: Visits) -> None:
    name = a_stuck_job(product)
    with visits.visit() as visit:
        page = visit.live(f"provisioner-jobs/{name}")
        for action, phrase in (("Suspend", "Suspended"), ("Resume", "NoMatchingDaemon")):
            page.get_by_role("link", name=action).click()
            page.get_by_role("dialog").get_by_role("button", name=action).click()
            expect(page.locator("#region")).to_contain_text(f"Why it is pending: {phrase}")
        product.cancel(name)
        page.get_by_role("link", name="Retry").click()
        page.get_by_role("dialog").get_by_role("button", name="Retry").click()
        expect(page.locator("#toasts")).to_contain_text("Retry requested")
        assert product.jobs.until(f"{name}-retry-1", "Pending")


def test_the_list_is_a_table_for_a_screen_reader(product: ProductNamespace, visits: Visits) -> None:
    name = a_stuck_job(product)
    with visits.visit() as visit:
        page = visit.open(f"provisioner-jobs?q={name}")
        for width in (1280, 320):
            page.set_viewport_size({"width": width, "height": 700})
            snapshot = page.get_by_role("table", name="Provisioner jobs").aria_snapshot()
            for words in ("columnheader", "rowgroup", f'link "Details of job {name}"', "Pending", "NoMatchingDaemon"):
                assert words in snapshot
