"""Take the pictures of the studio's page that the documents show: light, dark, and on a phone.

    evp studio --no-browser --data /tmp/studio &
    python scripts/studio_pictures.py http://127.0.0.1:8765/ demo/speech.flac docs/pictures

The portrait that the page chooses is shown, so show no real person: use a data folder without portraits of your own.
"""

import argparse
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

EMOTION = (
    "{0:.2f} neutral, {1:.2f} happy:0.9, {2:.2f} happy:0.5+surprised:0.4, {3:.2f} sad:0.3, "
    "{4:.2f} angry:0.85, {5:.2f} calm:0.4"
)
"""What is in the lane; its times are shares of the speech."""
SHARES = (0.05, 0.2, 0.38, 0.55, 0.72, 0.93)
PATIENCE_MS = 600_000


@dataclass(frozen=True)
class Shot:
    name: str
    scheme: Literal["light", "dark"]
    width: int
    height: int
    phone: bool = False


SHOTS = (
    Shot("studio-light.png", "light", 1440, 940),
    Shot("studio-dark.png", "dark", 1440, 940),
    Shot("studio-phone.png", "light", 390, 844, phone=True),
)


def take(browser: Browser, shot: Shot, address: str, speech: Path, film: bool) -> bytes:
    context = browser.new_context(
        viewport={"width": shot.width, "height": shot.height}, color_scheme=shot.scheme, is_mobile=shot.phone,
        has_touch=shot.phone,
    )  # fmt: skip
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(address)
    page.set_input_files("#speech-file", speech)
    page.wait_for_selector("#lane")
    seconds = float(page.get_attribute("#moment", "aria-valuemax") or 0)
    page.fill("#lane-text", EMOTION.format(*(share * seconds for share in SHARES)))
    page.press("#lane-text", "Enter")
    if film:
        page.get_by_role("button", name="Render the film").click()
        page.wait_for_selector(".films video")
        page.get_by_label("Beside it").select_option(label="the target's footage")
        page.locator("#moment").press("Home")
        for _ in range(round(0.38 * seconds)):
            page.locator("#moment").press("Shift+ArrowRight")
    else:
        page.locator("#point-1").click()
    settle(page)
    if shot.phone:
        page.locator(".desk").scroll_into_view_if_needed()
        page.evaluate("scrollTo(0, document.querySelector('.desk').offsetTop - 8)")
    else:
        page.evaluate("scrollTo(0, 0)")
    picture = page.screenshot()
    context.close()
    return picture


def settle(page: Page) -> None:
    """Until every picture and film is there and the face has followed."""
    ready = (
        "[...document.images].every(one => one.complete && one.naturalWidth > 0 || one.loading === 'lazy')"
        " && [...document.querySelectorAll('video')].every(one => one.readyState >= 2)"
    )
    while not page.evaluate(ready):
        page.wait_for_timeout(100)
    page.wait_for_timeout(2500)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("address", help="Where a studio runs.")
    parser.add_argument("speech", type=Path, help="What is said.")
    parser.add_argument("folder", type=Path, help="Where the pictures go.")
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="The browser.")
    asked = parser.parse_args()
    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=asked.chromium, args=["--no-sandbox"])
        for shot in SHOTS:
            picture = take(browser, shot, asked.address, asked.speech, film=shot.name == "studio-dark.png")
            small = (
                Image.open(io.BytesIO(picture))
                .convert("RGB")
                .quantize(256, dither=Image.Dither.FLOYDSTEINBERG)
            )
            small.save(asked.folder / shot.name, optimize=True)
            print(asked.folder / shot.name)
        browser.close()


if __name__ == "__main__":
    main()
