"""What a hand does on the page."""

import time

LANE = "#lane .plot"


def give(page, file) -> None:
    page.set_input_files("#speech-file", file)
    page.wait_for_selector("#lane")


def place(page, part: float, strength: float) -> tuple[float, float]:
    box = page.locator(LANE).bounding_box()
    return box["x"] + part * box["width"], box["y"] + (1 - strength) * box["height"]


def click(page, part: float, strength: float) -> None:
    page.mouse.click(*place(page, part, strength))


def drag(page, start: tuple[float, float], end: tuple[float, float], steps: int = 8) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=steps)
    page.mouse.up()


def middle(locator) -> tuple[float, float]:
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def text(page) -> str:
    return page.input_value("#lane-text")


def until(page, condition: str) -> None:
    """Wait for an expression of JavaScript. Playwright's own way would need `eval`, which the page forbids.

    What it reads may not stand in the page yet: then it is not true yet.
    """
    end = time.monotonic() + 60
    while not page.evaluate(f"(() => {{ try {{ return {condition} }} catch {{ return false }} }})()"):
        assert time.monotonic() < end, f"never: {condition}"
        page.wait_for_timeout(30)
