import json
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from evp.benchmark import Film, benchmark, growth, resized
from evp.errors import EvpError
from evp.render.engine import EXACT, installed
from tiny import portrait, tone


def test_growth_is_the_line_through_the_films():
    films = [Film("512x512", seconds, 1.5 + 0.6 * seconds, 0, 300 + seconds) for seconds in (10, 60, 600)]
    assert growth(films) == pytest.approx({"start": 1.5, "a_second": 0.6, "memory": 900 / 310})
    assert growth(films[:1])["a_second"] == pytest.approx(0.75)
    assert films[0].frames_a_second == pytest.approx(250 / 7.5)


@pytest.mark.parametrize("registered", [False, True])
def test_resized_portrait_shows_the_same_smaller(registered: bool):
    whole = portrait(12)
    if registered:  # its crops were cut before the head had its final pose
        whole = replace(whole, cuts=tuple(whole.boxes))
    half = resized(whole, 64)
    assert half.manifest.size == (64, 72)
    np.testing.assert_allclose(half.landmarks, whole.landmarks / 2, atol=1e-3)
    for (_, small), (_, large) in zip(islice(half.play(), 3), islice(whole.play(), 3), strict=True):
        assert small.shape == (64, 72, 3)
        coarse = large.reshape(64, 2, 72, 2, 3).mean(axis=(1, 3))
        assert np.abs(small - coarse).mean() < 4
    assert half.source(1).picture.shape[0] == half.boxes[half.sources.frames[1]].size
    for small, large in zip(half.boxes, whole.boxes, strict=True):
        np.testing.assert_allclose(
            [small.left, small.top, small.size], np.array([large.left, large.top, large.size]) / 2, atol=1
        )
    assert resized(whole, 128) is whole


def test_everything_is_measured():
    told: list[tuple[str, int, int]] = []
    measured = benchmark(portrait(12), tone(0.5), [128], [1], "happy", lambda *what: told.append(what))
    assert told == [("making films", 1, 1), ("timing stages", 1, 1)]
    found = json.loads(json.dumps(measured.as_json()))
    [film], [stages] = found["films"], found["stages"]
    assert (film["size"], film["seconds"], stages["size"]) == ("144x128", 1, "144x128")
    assert film["took"] > 0
    assert film["processor"] > 0
    assert film["memory"] > 50
    assert set(stages["milliseconds"]) > {"decoding the footage", "network", "encoding"}
    assert all(value > 0 for value in stages["milliseconds"].values())
    assert {network["way"] for network in stages["networks"]} == {
        f"{w.engine} {w.numbers}" for w in installed()
    }
    exact = next(n for n in stages["networks"] if n["way"] == f"{EXACT.engine} {EXACT.numbers}")
    assert exact["decibels"] == max(n["decibels"] for n in stages["networks"])
    assert min(n["decibels"] for n in stages["networks"]) > 45
    assert 0 < stages["macs"] < 0.82e9
    table = measured.as_table()
    assert "144x128" in table
    assert "encoding" in table


def test_film_that_cannot_be_made_is_told():
    with pytest.raises(EvpError, match="exit code 1"):
        benchmark(portrait(12), tone(0.5), [128], [1], "no such feeling")
