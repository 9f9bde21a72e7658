import numpy as np
import pytest

from evp.audio.mel import BANDS, filter_bank, log_mel, log_mel_blocks, log_mel_rows
from evp.clock import SAMPLE_RATE, SAMPLES_PER_ROW


def noise(samples: int) -> np.ndarray:
    return (0.1 * np.random.default_rng(0).standard_normal(samples)).astype(np.float32)


@pytest.mark.parametrize(("samples", "rows"), [(0, 0), (1, 4), (640, 4), (641, 8), (16_000, 100)])
def test_four_rows_for_every_video_frame(samples: int, rows: int) -> None:
    assert log_mel(noise(samples)).shape == (rows, BANDS)


@pytest.mark.parametrize("row", [0, 3, 50, 99])
def test_row_is_centred_on_its_sample(row: int) -> None:
    waveform = np.zeros(SAMPLE_RATE, np.float32)
    waveform[SAMPLES_PER_ROW * row + SAMPLES_PER_ROW // 2] = 1
    assert log_mel(waveform).sum(axis=1).argmax() == row


@pytest.mark.parametrize("frequency", [120.0, 500.0, 3000.0, 7000.0])
def test_tone_is_loudest_in_its_band(frequency: float) -> None:
    tone = np.sin(2 * np.pi * frequency * np.arange(8000) / SAMPLE_RATE).astype(np.float32)
    frequencies = np.arange(filter_bank().shape[1]) * SAMPLE_RATE / 512
    centre = filter_bank() @ frequencies
    band = log_mel(tone)[20].argmax()
    assert abs(centre[band] - frequency) < np.gradient(centre)[band] + SAMPLE_RATE / 512


def test_twice_as_loud_is_four_times_the_energy() -> None:
    np.testing.assert_allclose(log_mel(2 * noise(6400)) - log_mel(noise(6400)), np.log(4), atol=1e-3)


@pytest.mark.parametrize("block_rows", [1, 7, 64])
def test_blocks_equal_the_whole(block_rows: int) -> None:
    whole = log_mel(noise(12_345))
    np.testing.assert_allclose(
        np.concatenate(list(log_mel_blocks(noise(12_345), block_rows))), whole, atol=1e-5
    )


def test_rows_outside_the_sound_are_silence() -> None:
    silence = log_mel_rows(noise(6400), -20, -5)
    np.testing.assert_array_equal(silence, silence.min())
    np.testing.assert_allclose(log_mel_rows(noise(6400), -20, 60)[20:60], log_mel(noise(6400)), atol=1e-5)
