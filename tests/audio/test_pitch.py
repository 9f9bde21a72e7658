import numpy as np
import pytest

from evp.audio.pitch import PITCHES, WINDOW_SAMPLES, periodicity_rows, pitches, transposed
from tiny import tone


@pytest.mark.parametrize("semitone", [4, 15, 30])
def test_a_buzz_is_periodic_at_its_pitch_and_at_fractions_of_it(semitone: int) -> None:
    buzz = 0.3 * np.sign(tone(0.5, pitches()[semitone]))
    row = periodicity_rows(buzz, 20, 21)[0]
    assert row[semitone] > 0.95 and row[semitone] > row[semitone + 2 :].max(initial=0) + 0.1
    assert abs(row[semitone - 12 if semitone >= 12 else semitone] - 1) < 0.1


def test_against_a_plain_loop() -> None:
    waveform = tone(0.3, 137) + 0.02 * np.random.default_rng(0).standard_normal(4800).astype(np.float32)
    lag = 100
    cut = waveform[160 * 12 + 80 - WINDOW_SAMPLES // 2 :][:WINDOW_SAMPLES].astype(float)
    taper = np.hanning(WINDOW_SAMPLES + 1)[:-1]
    tapered = (cut - cut.mean()) * taper

    def correlation(x: np.ndarray) -> float:
        return sum(x[n] * x[n + lag] for n in range(WINDOW_SAMPLES - lag)) / sum(x**2)

    expected = correlation(tapered) / correlation(taper)
    found = np.interp(16000 / lag, pitches(), periodicity_rows(waveform, 12, 13)[0])
    assert found == pytest.approx(expected, abs=0.03)


def test_silence_and_the_outside_are_not_periodic() -> None:
    assert not periodicity_rows(np.zeros(1600, np.float32), -3, 20).any()


def test_level_does_not_count() -> None:
    buzz = np.sign(tone(0.5, 150))
    np.testing.assert_allclose(periodicity_rows(0.01 * buzz, 5, 9), periodicity_rows(buzz, 5, 9), atol=0.01)


def test_rows_do_not_depend_on_the_block() -> None:
    waveform = np.random.default_rng(0).standard_normal(8000).astype(np.float32)
    whole = periodicity_rows(waveform, -2, 60)
    np.testing.assert_allclose(periodicity_rows(waveform, 17, 23), whole[19:25], atol=1e-5)


def test_transposed_moves_the_peak() -> None:
    rows = np.zeros((1, PITCHES))
    rows[0, 20] = 1
    assert transposed(rows, 2**0.25)[0].argmax() == 23
    np.testing.assert_allclose(transposed(rows, 1), rows)
