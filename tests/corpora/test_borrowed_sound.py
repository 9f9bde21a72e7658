from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("dtaidistance")

from evp.clock import SAMPLE_RATE, SAMPLES_PER_FRAME
from evp.corpora.borrowed_sound import lend_sound, matched_times, retimed_sound
from evp.corpora.manifest import ClipEntry, Manifest
from tiny import tone

SLOW = np.linspace(0, 59, 80)
"""The times of a lender of 60 frames in a clip of 80."""


def opening(times: np.ndarray) -> np.ndarray:
    """A mouth that opens at frames 12, 25 and 48, unlike each time."""
    return sum(size * np.exp(-(((times - at) / 3) ** 2)) for at, size in ((12, 1.0), (25, 0.5), (48, 1.5)))


def loudness(waveform: np.ndarray) -> np.ndarray:
    return np.sqrt((waveform.reshape(-1, SAMPLES_PER_FRAME) ** 2).mean(axis=1))


def test_times_of_a_planted_warp_are_found():
    times = matched_times(0.02 * opening(SLOW), opening(np.arange(60.0)))
    assert times.shape == (80,) and (np.diff(times) >= 0).all()
    moving = np.abs(np.gradient(opening(SLOW))) > 0.02
    assert np.abs(times - SLOW)[moving].max() < 2


def test_sound_played_at_its_own_times_is_itself():
    waveform = np.random.default_rng(0).standard_normal(60 * SAMPLES_PER_FRAME)
    again = retimed_sound(waveform, np.arange(60.0))
    np.testing.assert_allclose(again[1000:-1000], waveform[1000:-1000], atol=1e-5)
    assert again.dtype == np.float32 and again.shape == waveform.shape


@pytest.mark.parametrize("speed", [0.6, 1.7])
def test_pitch_stays_when_sound_is_stretched(speed: float):
    waveform = tone(4.0, hertz=220)
    times = np.arange(int(100 / speed)) * speed
    played = retimed_sound(waveform, times)
    assert len(played) == len(times) * SAMPLES_PER_FRAME
    inside = played[4000:20000]
    spectrum = np.abs(np.fft.rfft(inside * np.hanning(len(inside))))
    assert abs(np.argmax(spectrum) * SAMPLE_RATE / len(inside) - 220) < 3
    np.testing.assert_allclose(np.sqrt((inside**2).mean()), 0.5 / np.sqrt(2), rtol=0.05)  # grains add up


def test_silent_clip_gets_the_sound_of_its_sentence_in_its_own_timing(tmp_path: Path):
    voice = np.random.default_rng(0).standard_normal(60 * SAMPLES_PER_FRAME)
    sound = (0.1 * voice * np.repeat(opening(np.arange(60.0)), SAMPLES_PER_FRAME)).astype(np.float32)
    nothing = np.zeros(0, np.float32)
    np.savez(tmp_path / "a.npz", opening=opening(np.arange(60.0)), waveform=sound)
    np.savez(tmp_path / "b.npz", opening=opening(SLOW), waveform=nothing, neutral=np.ones(3))
    np.savez(tmp_path / "c.npz", opening=opening(SLOW), waveform=nothing)
    said = ClipEntry("a.npz", "M030", "001.mp4", 60, emotion="sad", sentence="001")
    silent = replace(said, file="b.npz", frames=80, voiced=False, emotion="happy")
    other = replace(silent, file="c.npz", sentence="002")
    manifest = lend_sound(tmp_path, Manifest((said, silent, other), {"d.mp4": "no face"}))
    assert manifest == Manifest(
        (said, replace(silent, voiced=True, borrowed=True), other), {"d.mp4": "no face"}
    )
    with np.load(tmp_path / "b.npz") as stored:
        assert stored["borrowed"] and (stored["neutral"] == 1).all()
        assert stored["waveform"].shape == (80 * SAMPLES_PER_FRAME,)
        assert np.corrcoef(loudness(stored["waveform"]), opening(SLOW))[0, 1] > 0.9
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", "b.npz", "c.npz"]


def test_lips_that_hold_still_get_no_sound(tmp_path: Path):
    held = opening(np.concatenate([np.arange(12.0), np.full(40, 12.0), np.arange(12.0, 60.0)]))
    np.savez(tmp_path / "a.npz", opening=opening(np.arange(60.0)), waveform=tone(2.4))
    np.savez(tmp_path / "b.npz", opening=held, waveform=np.zeros(0, np.float32))
    said = ClipEntry("a.npz", "M030", "001.mp4", 60, sentence="001")
    manifest = Manifest((said, replace(said, file="b.npz", frames=100, voiced=False)))
    assert lend_sound(tmp_path, manifest) == manifest


def test_the_nearest_lender_is_taken(tmp_path: Path):
    times = np.arange(60.0)
    entries = []
    for number, (speaker, emotion) in enumerate((("W009", "sad"), ("M030", "fear"), ("M030", "happy"))):
        waveform = np.full(60 * SAMPLES_PER_FRAME, 0.1 * (number + 1), np.float32)
        np.savez(tmp_path / f"{number}.npz", opening=opening(times), waveform=waveform)
        entries.append(ClipEntry(f"{number}.npz", speaker, "a.mp4", 60, emotion=emotion, sentence="001"))
    np.savez(tmp_path / "silent.npz", opening=opening(times), waveform=np.zeros(0, np.float32))
    silent = ClipEntry("silent.npz", "M030", "a.mp4", 60, voiced=False, emotion="happy", sentence="001")
    lend_sound(tmp_path, Manifest((*entries, silent)))
    with np.load(tmp_path / "silent.npz") as stored:
        np.testing.assert_allclose(np.median(stored["waveform"]), 0.3, atol=1e-3)
