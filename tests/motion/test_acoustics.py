from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("pocketsphinx")

import torch

from evp.audio.loudness import measure
from evp.audio.mel import BANDS, log_mel
from evp.clock import FEATURE_RATE
from evp.corpora.phones import align
from evp.media import read_speech
from evp.motion.acoustics import (
    CAUTION,
    PIECE_ROWS,
    SPEECH_LOUDNESS,
    STATES,
    Gaussians,
    PhoneScores,
    cepstrum,
    emphasis,
    filters,
    phone_names,
    read_gaussians,
    scores_of,
)
from evp.motion.features import against_speech
from evp.motion.network import PHONES

torch.set_num_threads(1)
GRID = Path(__file__).parents[3] / "shared" / "data" / "grid_s1"


def test_the_model_is_read_whole():
    mean, variance, mixture = read_gaussians()
    assert mean.shape == variance.shape == (PHONES, 3, 128, 13) and (variance > 0).all()
    np.testing.assert_allclose(mixture.sum(axis=2), 1)
    assert phone_names()[2:5] == ("AA", "AE", "AH") and len(set(phone_names())) == PHONES


def test_probabilities_follow_the_formula_of_the_mixtures():
    """Three phones with two densities; cepstra and differences computed row by row."""
    random = np.random.default_rng(0)
    mean, variance = 5 * random.standard_normal((3, 3, 2, 13)), random.uniform(20, 90, (3, 3, 2, 13))
    mixture = random.uniform(0.1, 1, (3, 3, 2, STATES))
    rows = random.standard_normal((40, BANDS))
    scores = PhoneScores(Gaussians(mean, variance, mixture))(torch.tensor(rows[None], dtype=torch.float32))
    spectrum = np.log(np.exp(rows + emphasis()) @ filters().T)
    plain = np.log(np.exp(emphasis()) @ filters().T)
    cepstra = (spectrum - plain) @ cepstrum().T
    cepstra[:, 0] += SPEECH_LOUDNESS
    row = 20
    difference = {k: cepstra[k + 2] - cepstra[k - 2] for k in range(row - 1, row + 3)}
    each = [[cepstra[k], difference[k], difference[k + 1] - difference[k - 1]] for k in (row, row + 1)]
    expected = np.zeros((3, STATES))
    for stream, x in enumerate(np.mean(each, axis=0)):
        square = (x - mean[:, stream]) ** 2 / variance[:, stream] + np.log(2 * np.pi * variance[:, stream])
        density = np.exp(-0.5 * square.sum(axis=2))
        expected += np.log(np.einsum("pd,pds->ps", density, mixture[:, stream]))
    expected = expected.max(axis=1) / CAUTION
    expected -= np.log(np.exp(expected).sum())
    np.testing.assert_allclose(scores[0, row // 2], expected, atol=1e-3)


def test_what_is_said_is_among_the_likely_phones():
    if not GRID.is_dir():
        pytest.skip(f"there is no folder {GRID}")
    speech = read_speech(GRID / "bbaf2n.mp4")
    scores = scores_of(against_speech(log_mel(speech), measure(speech)))
    ranks = []
    for phone in align(speech, "bin blue at f two now"):
        rows = scores[round(phone.begin * FEATURE_RATE / 2) : round(phone.end * FEATURE_RATE / 2)]
        if phone.name != "SIL":
            ranks += list((rows > rows[:, [phone_names().index(phone.name)]]).sum(axis=1))
    assert np.mean(np.array(ranks) < 5) > 0.6  # of 42; by chance 0.12


def test_scores_do_not_depend_on_the_piece():
    rows = np.random.default_rng(0).standard_normal((2 * PIECE_ROWS + 30, BANDS))
    around = slice(PIECE_ROWS - 100, PIECE_ROWS + 100)
    part = scores_of(rows[around])
    inner = slice(4, -4)
    whole = scores_of(rows)[PIECE_ROWS // 2 - 50 : PIECE_ROWS // 2 + 50]
    assert len(scores_of(rows)) == PIECE_ROWS + 15
    np.testing.assert_allclose(whole[inner], part[inner], atol=1e-3)
