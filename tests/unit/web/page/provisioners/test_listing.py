"""The list of provisioner daemons, as a browser without script gets it."""

import re
from html import unescape

from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS
from provisioner_operator.web.index.cluster_index import NAMESPACES
from support.builders.stored import CREATED
from support.coder.api_world import ACME, ApiWorld, a_build_job, a_daemon, a_namespace, an_index, ran

PAGE = f"/organizations/{ACME}/provisioners"


def a_world() -> ApiWorld:
    """One daemon fails often, and one nearly matches a waiting job."""
    index = an_index()
    index.apply(DAEMONS, "ADDED", a_daemon("failing", consecutiveFailures=3, spec={"provisioners": ["terraform"]}))
    return ApiWorld(index)


def names_in(html: str) -> set[str]:
    return set(re.findall(r'<tr class="row[^>]*data-name="([^"]*)"', html))


def link(html: str, word: str) -> str:
    found = re.search(rf'href="([^"]*)"[^>]*>(?:<span[^>]*><svg.*?</svg></span>)?{word}', html, re.DOTALL)
    assert found is not None
    return unescape(found[1])


def test_those_that_need_attention_are_counted_and_listed_alone() -> None:
    world = a_world()
    page = world.get(PAGE).text
    marked = {name for name in names_in(page) if re.search(rf'class="row card stuck"[^>]*data-name="{name}"', page)}
    assert "failing" in marked
    assert len(marked) > 1
    assert f"Need attention <b>{len(marked)}</b>" in page
    troubled = world.get(link(page, "Need attention")).text
    assert names_in(troubled) == marked
    assert names_in(world.get(link(troubled, "All")).text) == names_in(page)


def test_filters_are_kept_beside_each_other() -> None:
    world = a_world()
    page = world.get(f"{PAGE}?attention=yes").text
    assert link(page, "Hide offline") == f"{PAGE}?offline=no&attention=yes"
    assert link(world.get(f"{PAGE}?offline=no&attention=yes").text, "Include offline") == f"{PAGE}?attention=yes"


def test_the_jobs_of_a_provisioner_are_in_the_order_of_their_names() -> None:
    world, runs = a_world(), []
    for number in (10, 9, 2):
        job = a_build_job(number, workspace="ordered", **ran("Running", daemon="busy"))
        world.index.apply(JOBS, "ADDED", job)
        runs.append({"name": job["metadata"]["name"], "uid": job["metadata"]["uid"], "startedAt": CREATED})
    busy = a_daemon("busy", state="Busy", currentJobs=runs)
    busy["metadata"]["resourceVersion"] = "9"
    world.index.apply(DAEMONS, "MODIFIED", busy)
    row = re.search(r'<tr class="row[^>]*data-name="busy".*?</tr>', world.get(PAGE).text, re.DOTALL)
    assert row is not None
    assert re.findall(r">(ordered-\d+)</a>", row[0]) == ["ordered-2", "ordered-9", "ordered-10"]


def test_where_none_is_in_trouble_the_page_says_so() -> None:
    world = ApiWorld(an_index([(NAMESPACES, a_namespace(ACME)), (DAEMONS, a_daemon("idle"))]))
    page = world.get(f"{PAGE}?attention=yes").text
    assert "No provisioner needs attention" in page
    assert names_in(world.get(link(page, "All provisioners")).text) == {"idle"}
