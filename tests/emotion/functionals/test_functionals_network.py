import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from scipy import stats

from evp.audio.loudness import measure
from evp.audio.mel import BANDS
from evp.emotion.functionals.network import (
    RATE_HZ,
    RATES,
    Functionals,
    FunctionalsEncoder,
    agreement,
    changes,
    moments,
    presence,
)
from evp.emotion.functionals.ridge import Ridge
from evp.emotion.windows import COLUMNS, MELODY, WINDOW_ROWS
from tiny import voice

RANDOM = np.random.default_rng(0)
VALUES = RANDOM.normal(size=(2, 30, 3)).astype(np.float32)
COUNTS = (RANDOM.random((2, 30, 1)) < 0.6).astype(np.float32)


def windows(hertz: float, seconds: float = 2.0) -> torch.Tensor:
    waveform = voice(seconds, hertz)
    heard, _ = MELODY.windows(waveform, measure(waveform), 1, 3)
    return torch.tensor(heard)


def counted(number: int) -> np.ndarray:
    return VALUES[number][COUNTS[number, :, 0] > 0]


def test_moments_are_those_of_the_rows_that_count() -> None:
    found = moments(torch.from_numpy(VALUES), torch.from_numpy(COUNTS))
    for number in range(2):
        own = counted(number)
        for moment, expected in zip(found, (own.mean(0), own.std(0), stats.skew(own)), strict=True):
            np.testing.assert_allclose(moment[number], expected, atol=1e-4)


def test_agreement_is_the_correlation_of_the_rows_that_count() -> None:
    one, others = 50 * torch.from_numpy(VALUES[..., :1]), 50 * torch.from_numpy(VALUES[..., 1:])
    found = agreement(one, others, torch.from_numpy(COUNTS))
    for number in range(2):
        expected = np.corrcoef(counted(number).T)[0, 1:]
        np.testing.assert_allclose(found[number], expected, atol=0.01)


def test_changes_do_not_reach_over_pauses_and_a_leap_counts_no_more_than_two_semitones() -> None:
    pitch = torch.tensor([10, 10.5, 9, 22.5, 22.5])[None, :, None]
    voiced = torch.tensor([1.0, 1, 0, 1, 1])[None, :, None]
    mean, root = changes(pitch, voiced)
    assert mean.item() == pytest.approx(0.25)
    assert root.item() == pytest.approx((0.25 / 2 + 1e-4) ** 0.5)
    assert changes(pitch, torch.ones_like(pitch))[0].item() == pytest.approx((0.5 + 1.5 + 2 + 0) / 4)


def test_presence_is_a_share_and_a_number_of_beginnings() -> None:
    share, begins = presence(torch.tensor([0.0, 1, 1, 0, 1])[None, :, None])
    assert share.item() == pytest.approx(0.6) and begins.item() == 2


def test_slope_is_a_change_a_second() -> None:
    counts = torch.ones(1, WINDOW_ROWS, 1)
    counts[:, ::3] = 0
    rising = 7 - 3 * torch.arange(WINDOW_ROWS)[None, :, None] / 100
    assert Functionals().slope(rising, counts).item() == pytest.approx(-3, rel=0.01)


@pytest.mark.parametrize("hertz", [2.5, 6.0])
def test_modulation_is_strongest_at_the_rate_at_which_values_swing(hertz: float) -> None:
    time = torch.arange(WINDOW_ROWS) / 100
    swinging = torch.sin(2 * torch.pi * hertz * time)[None, :, None]
    power = Functionals().modulation(swinging, torch.ones(1, WINDOW_ROWS, 1))[0]
    density = power.exp() / torch.tensor(RATES).diff()
    low, high = (RATE_HZ * (RATES[int(density.argmax()) + end] - 0.5) for end in (0, 1))
    assert low - RATE_HZ <= hertz <= high + RATE_HZ


def test_windows_without_voice_have_functionals_too() -> None:
    found = Functionals()(torch.zeros(2, WINDOW_ROWS, COLUMNS))
    assert torch.isfinite(found).all()


def test_what_is_heard_of_one_voice_depends_on_its_pitch() -> None:
    """The histogram of pitches, which the functionals hold, has its peak an octave higher."""
    measure_windows = Functionals()
    low, high = (measure_windows(windows(hertz)).mean(0) for hertz in (120, 240))
    away = (high - low).abs()
    assert away.max() > 1
    again = measure_windows(windows(120)).mean(0)
    torch.testing.assert_close(low, again)


def test_codes_are_the_scores_of_the_ridge_above_the_lowest() -> None:
    heard = torch.rand(5, WINDOW_ROWS, COLUMNS)
    heard[..., :BANDS] += 1
    functionals = Functionals()(heard).double().numpy()
    centre, scale = functionals.mean(0) - 0.1, 0.1 * functionals.std(0) + 1e-3
    landmarks = RANDOM.normal(size=(6, functionals.shape[1]))
    ridge = Ridge(centre, scale, 4.0, landmarks, 1e-4, RANDOM.normal(size=(6, 3)))
    encoder = FunctionalsEncoder(ridge, 8)
    codes = encoder(heard)
    assert codes.shape == (5, 8) and codes.min() == 0 and not codes[:, 3:].any()
    scores = ridge.scores(functionals)
    assert np.ptp(scores) > 0.1
    np.testing.assert_allclose(codes[:, :3], scores - scores.min(axis=1, keepdims=True), atol=1e-4)
    assert not list(encoder.parameters())
    assert not any(name.startswith("functionals") for name in encoder.state_dict())
