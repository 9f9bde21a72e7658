import json
from difflib import SequenceMatcher
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from evp.audio import acoustics
from evp.audio.acoustics import (
    EAR,
    EAR_ROWS,
    PIECE_ROWS,
    Ear,
    ear,
    filters,
    heard_by_ear,
    read_recogniser,
)
from evp.audio.loudness import measure
from evp.audio.mel import BANDS, log_mel
from evp.errors import MissingExtraError
from evp.media import read_speech
from evp.motion.features import LOWEST

torch.set_num_threads(1)
hama = acoustics.find_spec("hama")
needs_hama = pytest.mark.skipif(hama is None, reason="hama is not installed")
GRID = Path(__file__).parents[3] / "shared" / "data" / "grid_s1"


def noise(rows: int) -> np.ndarray:
    return np.random.default_rng(0).normal(-3, 3, (rows, BANDS)).astype(np.float32)


def test_without_hama_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acoustics, "find_spec", lambda _: None)
    read_recogniser.cache_clear()
    with pytest.raises(MissingExtraError, match=r"evp\[train\]"):
        read_recogniser()


def test_filters_are_heard_where_our_bands_hear_them() -> None:
    hertz = np.linspace(0, 8000, 201)
    bank = np.clip(1 - np.abs(hertz[:, None] - np.arange(200, 7000, 100)) / 90, 0, None)
    mix, gain = filters(bank)
    np.testing.assert_allclose(mix.sum(axis=0), 1)
    tone = np.sin(2 * np.pi * 3000 * np.arange(16000) / 16000).astype(np.float32)
    loudest = (log_mel(tone)[50] @ mix + gain).argmax()
    assert abs(200 + 100 * loudest - 3000) <= 100
    samples = 0.1 * np.random.default_rng(0).standard_normal(16000).astype(np.float32)
    hann = np.hanning(401)[:-1]
    frames = np.lib.stride_tricks.sliding_window_view(samples, 400)[::160] * hann
    energies = np.log((np.abs(np.fft.rfft(frames)) ** 2 @ bank).mean(axis=0))
    ours = np.log(np.exp(log_mel(samples)[2:-2]).mean(axis=0)) @ mix + gain
    np.testing.assert_allclose(ours, energies, atol=0.4)


@needs_hama
def test_a_row_hears_a_bounded_stretch_around_it() -> None:
    middle = 150
    rows = torch.from_numpy(noise(4 * middle))[None].requires_grad_()
    ear()(rows)[0, middle].sum().backward()
    heard = rows.grad.abs().sum(dim=(0, 2)).nonzero() / 2 - middle
    assert -EAR_ROWS <= heard.min() < 5 - EAR_ROWS and EAR_ROWS - 5 < heard.max() <= EAR_ROWS


@needs_hama
def test_what_is_heard_does_not_depend_on_the_piece() -> None:
    rows = noise(2 * PIECE_ROWS + 30)
    heard = heard_by_ear(rows, LOWEST)
    assert heard.shape == (PIECE_ROWS + 15, EAR)
    quiet = np.full((1, 2 * EAR_ROWS, BANDS), LOWEST, np.float32)
    with torch.no_grad():
        whole = ear()(torch.from_numpy(np.concatenate([quiet, rows[None], quiet], axis=1)))[0]
    np.testing.assert_allclose(heard, whole[EAR_ROWS:-EAR_ROWS], atol=1e-3)


@needs_hama
def test_with_all_of_its_blocks_it_writes_down_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recogniser whole, and attending to everything: that its arrays are read right, and our bands do for it."""
    if not GRID.is_dir():
        pytest.skip(f"there is no folder {GRID}")
    monkeypatch.setattr(acoustics, "BLOCKS", 4)
    monkeypatch.setattr(acoustics, "ATTENTION_ROWS", 1000)
    arrays = read_recogniser()
    assert hama is not None and hama.submodule_search_locations
    vocabulary = json.loads((Path(hama.submodule_search_locations[0]) / "assets/g2p_vocab.json").read_text())
    names = [*vocabulary["decoder"], " ", ""]
    speech = read_speech(GRID / "bbaf2n.mp4")
    rows = torch.from_numpy(np.maximum(log_mel(speech) - measure(speech).timbre, LOWEST))[None].float()
    with torch.no_grad():
        heard = Ear(arrays)(rows)[0].numpy()
    scores = heard @ arrays["acoustic_model.model.proj.weight"][:, :, 0].T
    named = [names[k] for k, _ in groupby((scores + arrays["acoustic_model.model.proj.bias"]).argmax(axis=1))]
    expected = ["b", "n", "b", "l", "u", "t", "f", "t", "u", "n"]  # of "bin blue at f two now", in ASCII
    said = [name[0] for name in named if name[:1].isascii() and name.isalpha()]
    assert SequenceMatcher(None, said, expected).ratio() > 0.75
