"""Building a portrait with the page."""

import pytest

from studio.page.browsing import until

expect = pytest.importorskip("playwright.sync_api").expect


def answer(page, clip) -> None:
    page.set_input_files("#footage-file", clip)
    page.get_by_label("Who is shown and agreed").fill("Ben Miller")
    page.get_by_label("When they agreed").fill("2026-11-01")
    page.get_by_label("How, and to what").fill("in writing")
    page.get_by_label("I am this person").check()


def builds(studio) -> list[dict]:
    return [detail for _, what, detail in studio.asked if what == "build"]


def test_portrait_from_a_short_clip(visit, studio, clip):
    page = visit("#/portraits").page
    answer(page, clip)
    studio.hold.set()
    page.get_by_role("button", name="Build the portrait").click()
    expect(page.locator(".builds .progress-facts")).to_contain_text("finding the face · 33 %")
    page.reload()
    expect(page.locator(".builds .progress-facts")).to_contain_text("finding the face · 33 %")
    studio.hold.clear()
    expect(page.locator(".builds .report")).to_contain_text("30.8 dB")
    expect(page.locator(".builds .report")).to_contain_text("3.2 s kept in 1 shot")
    until(page, "document.querySelector('.builds .sheet img').naturalWidth > 0")
    assert builds(studio) == [
        {"name": "Ben Miller", "consent": "Ben Miller agreed on 2026-11-01: in writing.", "quick": "true"}
    ]
    page.get_by_role("link", name="Make a film with it").click()
    expect(page.get_by_role("radio", name="Ben Miller quick")).to_be_checked()


def test_without_consent_nothing_is_sent(visit, studio, clip):
    page = visit("#/portraits").page
    send = page.get_by_role("button", name="Build the portrait")
    told = page.locator(".build-form [role=alert]")
    send.click()
    expect(told).to_contain_text("Give a video")
    page.set_input_files("#footage-file", clip)
    send.click()
    expect(told).to_contain_text("who is shown")
    page.get_by_label("Who is shown and agreed").fill("Ben Miller")
    send.click()
    expect(told).to_contain_text("which day")
    page.get_by_label("When they agreed").fill("2126-11-01")
    send.click()
    expect(told).to_contain_text("in the future")
    page.get_by_label("When they agreed").fill("2026-11-01")
    send.click()
    expect(told).to_contain_text("Confirm")
    assert builds(studio) == []
    page.get_by_label("I am this person").check()
    page.get_by_label("Full").check()
    send.click()
    expect(page.locator(".builds .report")).to_be_visible()
    assert builds(studio)[0]["quick"] == "false"


def test_footage_that_does_not_do_is_told(visit, short_clip, tmp_path):
    page = visit("#/portraits").page
    answer(page, short_clip)
    page.get_by_role("button", name="Build the portrait").click()
    expect(page.locator(".builds [role=alert]")).to_contain_text("only 0.8 s show a face")
    broken = tmp_path / "broken.mp4"
    broken.write_text("this is no film")
    answer(page, broken)
    page.get_by_role("button", name="Build the portrait").click()
    expect(page.locator(".build-form [role=alert]")).to_contain_text("broken.mp4")


def test_camera(visit):
    page = visit("#/portraits").page
    page.get_by_role("button", name="Film with the camera").click()
    expect(page.get_by_label("What the camera sees")).to_be_visible()
    page.wait_for_timeout(1500)
    page.get_by_role("button", name="Stop and use it").click()
    expect(page.get_by_label("The footage")).to_be_visible()
    expect(page.locator(".footage")).to_contain_text("camera.webm")


def test_portraits_are_looked_at_and_deleted(visit, studio):
    page = visit("#/portraits").page
    page.get_by_role("button", name="Contact sheet of Ada").click()
    sheet = page.get_by_role("dialog", name="Contact sheet of Ada").locator("img")
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Delete Ada")).to_have_count(0)
    page.get_by_role("button", name="Delete Ben").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.locator(".person")).to_have_count(1)
    assert set(studio.people) == {"builtin"}
