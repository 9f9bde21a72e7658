from importlib.util import find_spec

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from evp.audio import acoustics
from evp.audio.acoustics import BLOCKS, EAR, ear, mean_speech
from evp.audio.loudness import RANGE, SCALE
from evp.audio.mel import BANDS
from evp.emotion.functionals.network import Recognised, RidgeEncoder, moments
from evp.emotion.functionals.ridge import Ridge
from evp.emotion.windows import COLUMNS, WINDOW_ROWS

needs_hama = pytest.mark.skipif(find_spec("hama") is None, reason="hama is not installed")
RANDOM = np.random.default_rng(0)
VALUES = RANDOM.normal(size=(2, 30, 3)).astype(np.float32)
COUNTS = (RANDOM.random((2, 30, 1)) < 0.6).astype(np.float32)


def counted(number: int) -> np.ndarray:
    return VALUES[number][COUNTS[number, :, 0] > 0]


def test_moments_are_those_of_the_rows_that_count() -> None:
    found = moments(torch.from_numpy(VALUES), torch.from_numpy(COUNTS))
    for number in range(2):
        own = counted(number)
        for moment, expected in zip(found, (own.mean(0), own.std(0)), strict=True):
            np.testing.assert_allclose(moment[number], expected, atol=1e-4)


@needs_hama
def test_of_the_ear_mean_and_deviation_are_measured_where_there_is_voice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(acoustics, "ATTENTION_ROWS", 1000)
    heard = torch.tensor(RANDOM.uniform(1.0, 3.5, (2, WINDOW_ROWS, COLUMNS)), dtype=torch.float32)
    heard[1, 60:, :BANDS] = 0
    speech = mean_speech()
    level = np.log(np.mean(np.exp(speech)))
    energies = SCALE * heard[..., :BANDS].numpy() - RANGE + level
    with torch.no_grad():
        found = Recognised()(heard).numpy()
        rows = ear()(torch.tensor(energies - speech, dtype=torch.float32)).numpy()
    assert found.shape == (2, 2 * BLOCKS * 2 * EAR)
    last = found[:, -4 * EAR : -2 * EAR]
    for number, own in enumerate([rows[0], rows[1, :30]]):
        expected = np.concatenate([own.mean(axis=0), own.std(axis=0)])
        np.testing.assert_allclose(last[number], expected, atol=2e-3)


@needs_hama
def test_windows_without_voice_are_measured_by_the_ear_too() -> None:
    assert torch.isfinite(Recognised()(torch.zeros(2, WINDOW_ROWS, COLUMNS))).all()


class Means(torch.nn.Module):
    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        return windows.mean(1)


def test_codes_are_the_scores_of_the_ridge_above_the_lowest() -> None:
    heard = torch.rand(5, WINDOW_ROWS, COLUMNS)
    measured = Means()(heard).double().numpy()
    centre, scale = measured.mean(0) - 0.01, 0.1 * measured.std(0)
    ridge = Ridge(centre, scale, 4.0, RANDOM.normal(size=(COLUMNS, 3)))
    encoder = RidgeEncoder(Means(), ridge, 8)
    codes = encoder(heard)
    assert codes.shape == (5, 8) and codes.min() == 0 and not codes[:, 3:].any()
    scores = ridge.scores(measured)
    assert np.ptp(scores) > 0.1
    np.testing.assert_allclose(codes[:, :3], scores - scores.min(axis=1, keepdims=True), atol=1e-2)
    assert not list(encoder.parameters())
