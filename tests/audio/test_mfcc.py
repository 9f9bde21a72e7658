from pathlib import Path

import numpy as np
import pytest
from python_speech_features import mfcc as reference_mfcc
from scipy.signal import lfilter

from evp.audio.mfcc import count_rows, mfcc, mfcc_blocks, mfcc_rows, moved_frequencies
from evp.clock import PADDING_ROWS, PADDING_SAMPLES, SAMPLE_RATE

SPEECH = Path(__file__).parents[3] / "shared" / "data" / "speech" / "Claire_neutral.flac"


def reference(waveform: np.ndarray) -> np.ndarray:
    padded = np.pad(waveform.astype(np.float64), PADDING_SAMPLES)
    return reference_mfcc(padded, SAMPLE_RATE, winstep=0.01)[:, 1:]


def made_up_voice(samples: int) -> np.ndarray:
    """A falling buzz in noise that is switched on and off, with exact silence between."""
    random = np.random.default_rng(0)
    phase = np.cumsum(np.linspace(220, 90, samples)) / SAMPLE_RATE
    buzz = (phase % 1 - 0.5) + 0.05 * random.standard_normal(samples)
    return (0.4 * buzz * (np.arange(samples) // 4000 % 2)).astype(np.float32)


@pytest.mark.parametrize("samples", [1, 79, 80, 81, 160, 400, 639, 640, 641, 12_345, 48_000])
def test_equals_python_speech_features(samples: int) -> None:
    waveform = made_up_voice(samples)
    np.testing.assert_allclose(mfcc(waveform), reference(waveform), atol=1e-4)


@pytest.mark.skipif(not SPEECH.exists(), reason=f"needs {SPEECH.name} of the shared recordings")
def test_equals_python_speech_features_on_real_speech() -> None:
    import av

    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    with av.open(SPEECH) as container:
        frames = [
            out.to_ndarray()[0] for frame in container.decode(audio=0) for out in resampler.resample(frame)
        ]
    waveform = np.concatenate(frames)[: 20 * SAMPLE_RATE]
    np.testing.assert_allclose(mfcc(waveform), reference(waveform), atol=1e-4)


def test_silence_gives_zeros() -> None:
    np.testing.assert_allclose(mfcc(np.zeros(16_000, np.float32)), 0, atol=1e-5)


@pytest.mark.parametrize("block_rows", [1, 7, 100])
def test_blocks_equal_the_whole(block_rows: int) -> None:
    waveform = made_up_voice(20_000)
    blocks = list(mfcc_blocks(waveform, block_rows))
    assert max(map(len, blocks)) <= block_rows
    np.testing.assert_allclose(np.concatenate(blocks), mfcc(waveform), atol=1e-6)


def test_rows_are_counted_from_the_sound_and_are_zeros_outside() -> None:
    waveform, before = made_up_voice(20_000), 8
    rows = mfcc_rows(waveform, -PADDING_ROWS - before, 150)
    inside = slice(before, before + count_rows(20_000))
    np.testing.assert_allclose(rows[inside], mfcc(waveform), atol=1e-6)
    np.testing.assert_allclose(np.delete(rows, inside, axis=0), 0, atol=1e-6)


def test_row_count() -> None:
    assert all(len(mfcc(made_up_voice(n))) == count_rows(n) for n in (0, 1, 80, 81, 5000))


def _vowel(shift: float) -> np.ndarray:
    """The mean row of noise through three resonances, moved by so much."""
    sound = np.random.default_rng(0).standard_normal(SAMPLE_RATE)
    for centre, width in ((700, 80), (1200, 90), (2600, 120)):
        radius = np.exp(-np.pi * width / SAMPLE_RATE)
        angle = 2 * np.pi * centre * shift / SAMPLE_RATE
        sound = lfilter([1], [1, -2 * radius * np.cos(angle), radius**2], sound)
    return mfcc(sound / np.abs(sound).max())[20:-20].mean(axis=0)


@pytest.mark.parametrize("shift", [0.88, 1.12])
def test_moved_frequencies_are_those_of_moved_resonances(shift: float) -> None:
    plain, moved = _vowel(1.0), _vowel(shift)
    assert np.abs(plain @ moved_frequencies(shift) - moved).mean() < 0.25 * np.abs(plain - moved).mean()
    np.testing.assert_allclose(moved_frequencies(1.0), np.eye(12), atol=1e-6)
