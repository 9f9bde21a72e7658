"""What holds for all of the page: accessibility, weight, no other hosts, and a studio that comes and goes."""

import hashlib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from studio.page.standin import PAGE

expect = pytest.importorskip("playwright.sync_api").expect

SOURCES = Path(__file__).resolve().parents[3] / "studio"
AXE = SOURCES / "node_modules" / "axe-core" / "axe.min.js"
MOST_BYTES = 500_000


def violations(page) -> list[str]:
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{one['id']}: {node['html']}" for one in found["violations"] for node in one["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit, studio, speech, clip, scheme):
    if not AXE.exists():
        pytest.skip("needs axe-core: make studio/node_modules")
    page = visit(color_scheme=scheme, bypass_csp=True).page
    page.wait_for_selector(".face img")
    assert violations(page) == []
    page.set_input_files("#speech-file", speech)
    page.wait_for_selector("#lane")
    page.fill("#lane-text", "0 neutral, 1.5 happy:0.5+surprised:0.3, 3 sad")
    page.press("#lane-text", "Enter")
    page.locator("#point-1").click()
    studio.hold.set()
    page.get_by_role("button", name="Render the film").click()
    page.wait_for_selector(".progress-facts >> text=frames")
    page.fill("#lane-text", "joyfull")
    page.press("#lane-text", "Enter")
    expect(page.locator("#lane-text-problem")).to_contain_text("no emotion")
    assert violations(page) == []
    studio.hold.clear()
    page.wait_for_selector(".films video")
    page.get_by_label("Beside it").select_option(label="the target's footage")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Keys").click()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.goto(page.url.split("#")[0] + "#/portraits")
    page.set_input_files("#footage-file", clip)
    page.get_by_role("button", name="Build the portrait").click()
    page.locator("summary").first.click()
    assert violations(page) == []


def test_nothing_is_asked_of_other_hosts(visit, address, speech):
    window = visit()
    window.page.set_input_files("#speech-file", speech)
    window.page.wait_for_selector("#lane")
    window.page.get_by_role("button", name="Render the film").click()
    window.page.wait_for_selector(".films video")
    window.page.goto(address + "#/portraits")
    window.page.wait_for_selector(".person")
    assert len(window.requests) > 10
    own = urlsplit(address).netloc
    assert {
        url for url in window.requests if not url.startswith("blob:") and urlsplit(url).netloc != own
    } == set()


def test_page_is_light():
    assert sum(file.stat().st_size for file in PAGE.rglob("*") if file.is_file()) < MOST_BYTES


def test_page_is_built_from_these_sources():
    hashed = hashlib.sha256()
    files = [file for folder in ("src", "public") for file in (SOURCES / folder).rglob("*") if file.is_file()]
    files += [SOURCES / name for name in ("index.html", "package-lock.json", "vite.config.ts")]
    for name in sorted(file.relative_to(SOURCES).as_posix() for file in files):
        hashed.update(name.encode() + b"\0" + (SOURCES / name).read_bytes() + b"\0")
    assert hashed.hexdigest() in (PAGE / "index.html").read_text(), "run 'make page'"


def test_lock_names_no_registry():
    assert '"resolved"' not in (SOURCES / "package-lock.json").read_text()


def test_studio_that_is_gone_is_told_and_found_again(page, studio, address, speech):
    page.set_input_files("#speech-file", speech)
    page.wait_for_selector("#lane")
    port = urlsplit(address).port
    studio.stop()
    page.get_by_role("button", name="Render the film").click()
    expect(page.locator(".banner")).to_contain_text("does not answer")
    studio.start(port)
    expect(page.locator(".banner")).to_have_count(0)
    page.get_by_role("button", name="Render the film").click()
    page.wait_for_selector(".films video")


def test_missing_token_is_asked_for(visit, studio):
    studio.token = "secret"
    page = visit().page
    expect(page.get_by_role("heading", name="This studio needs its token")).to_be_visible()
    page.get_by_label("Token").fill("guess")
    page.get_by_role("button", name="Open").click()
    page.wait_for_url("**/?token=guess")


def test_theme_is_chosen_and_kept(page):
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Colours: system").click()
    page.get_by_role("button", name="Colours: light").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    page.reload()
    expect(page.get_by_role("button", name="Colours: dark")).to_be_visible()
