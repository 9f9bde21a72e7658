import numpy as np
import pytest

from evp.evaluation.baselines import (
    BANDS,
    PENALTY,
    REACH,
    Example,
    cross_fitted,
    loudness_features,
    ridge,
    spectrum_features,
)
from tiny import tone


def example(seed: int, frames: int = 400, slope: float = 2.0) -> Example:
    """A mouth that follows the first of three features by a straight line."""
    features = np.random.default_rng(seed).normal(size=(frames, 3))
    return Example(features, slope * features[:, :1] + 1, np.ones(frames, bool))


def test_ridge_is_that_of_the_normal_equations_and_finds_the_line():
    known, unknown = example(0), example(1)
    predicted = ridge([known], unknown.features)
    # standardised features: every weight is shortened by 1 / (1 + PENALTY)
    np.testing.assert_allclose(predicted, (unknown.wanted - 1) / (1 + PENALTY) + 1, atol=0.12)
    assert np.corrcoef(predicted[:, 0], unknown.wanted[:, 0])[0, 1] > 0.998


def test_frames_that_are_not_known_teach_nothing():
    known = example(0)
    spoiled = Example(known.features, np.where(np.arange(400)[:, None] < 200, known.wanted, 1e6),
                      np.arange(400) < 200)  # fmt: skip
    half = Example(known.features[:200], known.wanted[:200], known.known[:200])
    np.testing.assert_allclose(ridge([spoiled], known.features), ridge([half], known.features))


def test_a_clip_is_predicted_by_the_others_alone():
    clips = [example(0), example(1), example(2, slope=-50)]
    found = cross_fitted(clips)
    np.testing.assert_allclose(found[2], ridge(clips[:2], clips[2].features))
    assert np.corrcoef(found[2][:, 0], clips[2].wanted[:, 0])[0, 1] < -0.9


def test_a_single_clip_is_predicted_half_by_half():
    whole = example(0)
    turned = Example(whole.features, np.where(np.arange(400)[:, None] < 200, whole.wanted, -whole.wanted),
                     whole.known)  # fmt: skip
    [found] = cross_fitted([turned])
    assert np.corrcoef(found[:200, 0], turned.wanted[:200, 0])[0, 1] < -0.9
    unknown = Example(whole.features, whole.wanted, np.arange(400) < 200)
    assert np.isnan(cross_fitted([unknown])[0]).all()


def test_loudness_is_high_where_the_sound_is_loud():
    waveform = np.concatenate([tone(1.0), 1e-5 * tone(1.0)])
    heard = loudness_features(waveform)
    assert heard.shape == (50, 1)
    assert heard[5:20].min() == pytest.approx(1, abs=0.1)
    assert heard[30:45].max() < 0.05


def test_the_spectrum_is_heard_around_the_frame():
    waveform = np.concatenate([0 * tone(1.0), tone(0.04, 1000), 0 * tone(1.0)])
    features = spectrum_features(waveform + 1e-4 * np.random.default_rng(0).normal(size=len(waveform)))
    assert features.shape == (51, (2 * REACH + 1) * BANDS)
    by_band = features.reshape(51, BANDS, 2 * REACH + 1)
    assert by_band.sum(axis=1)[25].argmax() == REACH
    assert by_band.sum(axis=1)[23].argmax() == REACH + 2
