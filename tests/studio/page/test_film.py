"""Making a film with the page: from a portrait and a recording to a take."""

import re

import pytest

from studio.page.browsing import LANE, click, drag, give, middle, place, text, until

expect = pytest.importorskip("playwright.sync_api").expect


def films(studio) -> list[dict]:
    return [detail for _, what, detail in studio.asked if what == "film"]


def stills(studio) -> list[dict]:
    return [detail for _, what, detail in studio.asked if what == "still"]


def face(page, label: str):
    return page.get_by_role("button", name=label, exact=True)


def test_newcomer_makes_a_film_in_four_actions(page, studio, speech):
    expect(page.get_by_role("radio", name=re.compile("Ada"))).to_be_checked()
    give(page, speech)  # 1: the recording
    drag(page, middle(face(page, "happy")), place(page, 0.25, 0.8))  # 2, 3: two faces into the lane
    drag(page, middle(face(page, "angry")), place(page, 0.75, 0.6))
    page.get_by_role("button", name="Render the film").click()  # 4
    page.wait_for_selector(".films video")
    (asked,) = films(studio)
    assert asked["portrait"] == "builtin"
    assert re.fullmatch(
        r"1(\.0\d)? happy:0\.(79|8|81), (2\.9\d|3|3\.0\d) angry:0\.(59|6|61)", asked["emotion"]
    )
    assert asked["emotion"] == text(page)
    video = page.locator(".films video")
    until(page, "document.querySelector('.films video').readyState >= 2")
    assert video.evaluate("video => video.duration") == 4
    page.get_by_role("button", name="Play", exact=True).click()
    until(page, "document.querySelector('.films video').currentTime > 0.2")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()


def test_clicks_set_points_and_faces_label_them(page, speech):
    give(page, speech)
    click(page, 0.25, 1)
    assert text(page) == "happy"
    click(page, 0.5, 0.5)
    face(page, "sad").click()
    assert re.fullmatch(r"\S+ happy, 2 sad:0\.5", text(page))
    expect(page.get_by_role("button", name=re.compile("sad 0.5 at 0:02.0"))).to_have_attribute(
        "aria-pressed", "true"
    )
    face(page, "neutral").click()
    assert text(page).endswith("2 neutral")
    face(page, "sad").click(modifiers=["Shift"])
    face(page, "fear").click(modifiers=["Shift"])
    assert text(page).endswith("2 sad:0.5+fear:0.5")
    page.get_by_role("checkbox", name="Mix").check()
    face(page, "sad").click()
    assert text(page).endswith("2 fear")


def test_point_is_dragged_in_time_and_strength_and_the_face_follows(page, studio, speech):
    give(page, speech)
    click(page, 0.25, 0.5)
    before = text(page)
    point = page.locator("#point-0")
    page.mouse.move(*middle(point))
    page.mouse.down()
    page.mouse.move(*place(page, 0.5, 0.9), steps=10)
    until(page, "document.querySelector('#lane-text').value.includes('0.9')")
    page.wait_for_timeout(300)
    page.mouse.up()
    assert text(page) == "happy:0.9"
    last = stills(studio)[-1]
    assert (last["emotion"], round(last["at"], 2)) == ("happy:0.9", 2.0)
    expect(page.locator(".face-now")).to_have_attribute("src", re.compile("^blob:"))
    page.keyboard.press("Control+z")
    assert text(page) == before
    page.keyboard.press("Control+Shift+z")
    assert text(page) == "happy:0.9"


def test_escape_puts_a_dragged_point_back(page, speech):
    give(page, speech)
    click(page, 0.25, 0.5)
    before = text(page)
    page.mouse.move(*middle(page.locator("#point-0")))
    page.mouse.down()
    page.mouse.move(*place(page, 0.8, 0.9), steps=4)
    assert text(page) != before
    page.keyboard.press("Escape")
    page.mouse.up()
    assert text(page) == before


def test_while_dragging_only_the_newest_still_is_asked_for(page, studio, speech):
    give(page, speech)
    click(page, 0.1, 0.5)
    studio.still_seconds = 0.15
    before = len(stills(studio))
    drag(page, middle(page.locator("#point-0")), place(page, 0.9, 0.5), steps=60)
    for _ in range(100):
        page.wait_for_timeout(50)
        if round(stills(studio)[-1]["at"], 1) == 3.6:
            break
    asked = stills(studio)[before:]
    assert round(asked[-1]["at"], 1) == 3.6
    assert len(asked) < 40  # of 60 moves


def test_lane_and_text_are_the_same_thing(page, speech):
    give(page, speech)
    page.fill("#lane-text", "0 neutral, 1.5 happy:0.5+surprised:0.3, 3 sad")
    page.press("#lane-text", "Enter")
    expect(page.locator(".handle")).to_have_count(3)
    page.locator("#point-1").click()
    assert page.get_by_role("slider", name="happy").input_value() == "50"
    page.get_by_role("slider", name="happy").fill("60")
    assert text(page) == "0 neutral, 1.5 happy:0.6+surprised:0.3, 3 sad"
    for wrong, sentence in (
        ("0 neutral, 9 sad", "the emotion track goes to 9 s, but the speech ends at 4.00 s"),
        ("joyfull", "there is no emotion 'joyfull'"),
        ("0 sad, happy", "the point 'happy' has no time: write it like 2.5 happy"),
    ):
        page.fill("#lane-text", wrong)
        page.press("#lane-text", "Enter")
        expect(page.locator("#lane-text-problem")).to_contain_text(sentence)
        expect(page.locator(".handle")).to_have_count(3)


def test_hear_it_from_the_voice_fills_the_lane(page, speech):
    give(page, speech)
    page.get_by_role("button", name="Hear it from the voice").click()
    expect(page.locator(".handle")).to_have_count(4)
    assert "happy:0.55" in text(page)
    page.get_by_role("button", name="Undo").click()
    assert text(page) == "neutral"
    page.fill("#lane-text", "auto")
    expect(page.locator(".handle")).to_have_count(4)


def test_cancel(page, studio, speech):
    studio.hold.set()
    give(page, speech)
    page.get_by_role("button", name="Render the film").click()
    expect(page.locator(".progress-facts")).to_contain_text("of 100 frames")
    expect(page.locator(".progress-facts")).to_contain_text("24.6 frames/s")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".take")).to_contain_text("cancelled")
    expect(page.locator(".render .progress")).to_have_count(0)
    assert [what for _, what, _ in studio.asked if what == "cancel"] == ["cancel"]


def test_broken_upload_is_told_in_the_words_of_the_command_line(page, tmp_path, speech):
    broken = tmp_path / "broken.wav"
    broken.write_text("this is no sound")
    page.set_input_files("#speech-file", broken)
    complaint = page.locator(".speech-choice [role=alert]")
    expect(complaint).to_contain_text("broken.wav")
    expect(page.locator("#lane")).to_have_count(0)
    give(page, speech)
    expect(complaint).to_be_empty()


def test_full_queue_is_told(page, studio, speech):
    studio.full = True
    give(page, speech)
    page.get_by_role("button", name="Render the film").click()
    expect(page.locator(".render [role=alert]")).to_contain_text("64 jobs are waiting already")


def test_reload_in_the_middle_of_a_job_finds_it_again(page, studio, speech):
    studio.hold.set()
    give(page, speech)
    click(page, 0.5, 0.7)
    emotion = text(page)
    page.get_by_role("button", name="Render the film").click()
    expect(page.locator(".progress-facts")).to_contain_text("frames")
    page.reload()
    expect(page.locator(".progress-facts")).to_contain_text("frames")
    expect(page.locator(".speech-name")).to_contain_text(speech.name)
    assert text(page) == emotion
    studio.hold.clear()
    page.wait_for_selector(".films video")
    page.reload()
    expect(page.locator(".take")).to_contain_text(emotion)


def test_takes_are_kept_repeated_compared_and_deleted(page, studio, speech):
    give(page, speech)
    page.get_by_role("button", name="Render the film").click()
    page.wait_for_selector(".films video")
    click(page, 0.5, 0.9)
    page.get_by_role("button", name="Repeat Take 1 exactly").click()
    expect(page.locator(".take")).to_have_count(2)
    first, second = films(studio)
    assert first == second
    page.get_by_role("button", name="Watch Take 2").click()
    page.get_by_label("Beside it").select_option(label="Take 1: neutral")
    expect(page.locator(".films video")).to_have_count(2)
    page.get_by_label("Beside it").select_option(label="the target's footage")
    expect(page.locator(".films figcaption").last).to_contain_text("Ada, as filmed")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download Take 2").click()
    assert download.value.path().read_bytes() == studio.films["film-2"]
    page.get_by_role("button", name="Edit the settings of Take 1").click()
    expect(page.locator("#lane-text")).to_have_value("neutral")
    page.get_by_role("button", name="Delete Take 1").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator(".take")).to_have_count(1)


def test_microphone(page):
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.locator(".recorder")).to_be_visible()
    page.wait_for_timeout(1500)
    page.get_by_role("button", name="Stop and use it").click()
    page.wait_for_selector("#lane")
    expect(page.locator(".speech-name")).to_contain_text("speech.webm")


def test_keyboard_alone(page, studio, speech):
    def tab_to(wanted: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
                return
        raise AssertionError(f"Tab never reaches {wanted}")

    # listened for from the beginning: a browser that is told only now may not hear it before the key is pressed
    page.on("filechooser", lambda chooser: chooser.set_files(speech))
    tab_to("input[name=portrait]")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name=re.compile("Ben"))).to_be_checked()
    tab_to("#speech-file")
    page.keyboard.press("Space")
    page.wait_for_selector("#lane")
    tab_to("#moment")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("a")
    expect(page.locator("#point-0")).to_be_focused()
    page.keyboard.press("6")  # happy, in the order of the faces
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("#lane-text")).to_have_value("happy:0.75")
    expect(page.locator("#point-0")).to_have_accessible_name("happy 0.75 at 0:01.5")
    page.keyboard.press("d")
    expect(page.locator("#point-1")).to_be_focused()
    page.keyboard.press("Shift+1")
    expect(page.locator("#lane-text")).to_have_value(
        re.compile(r"1\.5 happy:0\.75, 2\.5 happy:0\.38\+angry:0\.37")
    )
    page.keyboard.press("[")
    page.keyboard.press("Delete")
    page.keyboard.press("Control+z")
    expect(page.locator(".handle")).to_have_count(2)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    page.wait_for_selector(".films video")
    assert films(studio)[0]["portrait"] == "ben"
    page.keyboard.press("Space")
    until(page, "document.querySelector('.films video').currentTime > 0.1")


def test_phone(visit, speech):
    window = visit(
        viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, device_scale_factor=2
    )
    page = window.page
    give(page, speech)
    page.locator(LANE).scroll_into_view_if_needed()
    page.touchscreen.tap(*place(page, 0.3, 0.9))
    expect(page.locator(".handle")).to_have_count(1)
    page.touchscreen.tap(*place(page, 0.7, 0.5))
    expect(page.locator(".handle")).to_have_count(2)
    face(page, "angry").tap()
    assert "angry" in text(page)
    page.get_by_role("button", name="Render the film").tap()
    page.wait_for_selector(".films video")
    for screen in ("#/", "#/portraits"):
        page.evaluate("screen => location.hash = screen", screen)
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth") == 360
