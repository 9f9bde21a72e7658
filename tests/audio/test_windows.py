import numpy as np
import pytest

from evp.audio.mfcc import mfcc
from evp.audio.windows import windows
from evp.clock import SAMPLES_PER_FRAME, WINDOW_ROWS, frames_for_samples


def noise(samples: int) -> np.ndarray:
    return (0.1 * np.random.default_rng(0).standard_normal(samples)).astype(np.float32)


@pytest.mark.parametrize("samples", [0, 1, 320, 639, 640, 641, 6400, 12_345])
def test_one_window_for_every_video_frame(samples: int) -> None:
    frames = frames_for_samples(samples)
    assert windows(mfcc(noise(samples)), frames).shape == (frames, 28, 12)


@pytest.mark.parametrize("samples", [640, 641, 12_345, 16_000])
def test_equals_the_original_wherever_it_had_a_window(samples: int) -> None:
    features = mfcc(noise(samples))
    ours = windows(features, frames_for_samples(samples))
    originals = [features[4 * k : 4 * k + 28] for k in range(len(features) // 4 - 6)]
    for ours_k, original_k in zip(ours, originals, strict=False):
        np.testing.assert_array_equal(ours_k, original_k)
    assert len(originals) <= len(ours) <= len(originals) + 2


@pytest.mark.parametrize("frame", [0, 1, 5, 9])
def test_impulse_in_the_middle_of_a_frame_is_in_the_middle_of_its_window(frame: int) -> None:
    waveform = np.zeros(10 * SAMPLES_PER_FRAME, np.float32)
    waveform[frame * SAMPLES_PER_FRAME + SAMPLES_PER_FRAME // 2] = 0.5
    loudness = np.abs(windows(mfcc(waveform), 10)[frame]).sum(axis=1)
    rows = np.flatnonzero(loudness > 1e-3)
    # A row looks 25 ms ahead from its start, so an impulse touches the three rows that start up to 25 ms before it.
    starts, impulse = rows * 10.0, WINDOW_ROWS * 10.0 / 2
    assert len(rows) in (2, 3)
    assert np.all((starts <= impulse) & (impulse <= starts + 25))


def test_nothing_is_lost_at_the_ends() -> None:
    waveform = np.zeros(2000, np.float32)
    waveform[[0, -1]] = 0.5
    cut = windows(mfcc(waveform), frames_for_samples(2000))
    assert np.abs(cut[0]).max() > 1 and np.abs(cut[-1]).max() > 1
