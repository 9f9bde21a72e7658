from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from evp.emotion import hearing
from evp.emotion.hearing import EmotionModel, Heard
from evp.emotion.network import Conv, EncoderConfig, Pool
from evp.emotion.train import EmotionNetwork, Together, export_emotion
from evp.emotion.windows import COLUMNS, WINDOW_ROWS
from evp.errors import InputError, WeightsError
from evp.weights import save_weights
from tiny import tone, voice


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> EmotionModel:
    """Two small networks with random weights."""
    torch.manual_seed(0)
    encoder = EncoderConfig(
        (Conv(4), Pool((8, 8), (8, 8))), 64, WINDOW_ROWS, COLUMNS, hidden=16, statistics=True
    )
    path = tmp_path_factory.mktemp("weights") / "emotion.onnx"
    codes = {"angry": [1.0] * 128, "contempt": [0.0] * 128}
    networks = Together([EmotionNetwork(encoder, 3) for _ in range(2)])
    export_emotion(path, networks, {"labels": ["angry", "neutral", "sad"], "label_codes": codes})
    return EmotionModel.load(path)


def test_labels_and_codes_come_from_the_weights(model: EmotionModel) -> None:
    assert model.labels == ("angry", "neutral", "sad")
    assert list(model.label_codes) == ["angry", "contempt"]
    assert model.label_codes["angry"].dtype == np.float32 and model.label_codes["angry"].shape == (128,)


def test_shapes_and_times(model: EmotionModel) -> None:
    heard = model.hear(voice(2.1, 150))
    np.testing.assert_allclose(heard.times, [0.2, 0.6, 1.0, 1.4, 1.8, 2.2])
    assert (
        heard.codes.shape == (6, 128) and heard.probabilities.shape == (6, 3) and heard.voiced.shape == (6,)
    )
    np.testing.assert_allclose(heard.probabilities.sum(axis=1), 1, rtol=1e-5)
    assert heard.voiced[:5].all()


def test_results_do_not_depend_on_the_blocks(model: EmotionModel, monkeypatch: pytest.MonkeyPatch) -> None:
    waveform = voice(6, 150)
    whole = model.hear(waveform)
    monkeypatch.setattr(hearing, "BLOCK_WINDOWS", 3)
    pieces = model.hear(waveform)
    np.testing.assert_allclose(pieces.codes, whole.codes, atol=1e-4)
    np.testing.assert_array_equal(pieces.voiced, whole.voiced)


def test_half_precision_and_level_hardly_change_what_is_heard(model: EmotionModel) -> None:
    waveform = voice(2, 150)
    expected = model.hear(waveform).probabilities
    np.testing.assert_allclose(model.hear(waveform.astype(np.float16)).probabilities, expected, atol=0.05)
    np.testing.assert_allclose(model.hear(0.1 * waveform).probabilities, expected, atol=0.05)


def test_whole_is_the_classification_of_the_mean_code(model: EmotionModel) -> None:
    heard = model.hear(voice(3, 150))
    np.testing.assert_allclose(heard.code, heard.codes[heard.voiced].mean(axis=0), rtol=1e-5)
    scores = np.log(heard.probabilities[heard.voiced]).mean(axis=0)
    np.testing.assert_allclose(heard.whole, np.exp(scores) / np.exp(scores).sum(), rtol=1e-4)


def test_pauses_are_not_voiced_and_do_not_count(model: EmotionModel) -> None:
    speech, pause = voice(2, 150), np.zeros(16000 * 4, np.float32)
    heard = model.hear(np.concatenate([speech, pause]))
    assert heard.voiced[:5].all() and not heard.voiced[6:].any()


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(0, np.float32),
        np.zeros(16000, np.float32),
        0.05 * np.random.default_rng(0).standard_normal(48000).astype(np.float32),
        tone(3, 50, 0.2) + tone(3, 150, 0.1),
    ],
    ids=["nothing", "silence", "noise", "hum"],
)
def test_without_voice_there_is_no_whole(model: EmotionModel, sound: np.ndarray) -> None:
    heard = model.hear(sound)
    assert not heard.voiced.any() and len(heard.codes) == len(heard.times)
    with pytest.raises(InputError, match="has no voice in it"):
        _ = heard.code
    with pytest.raises(InputError, match="has no voice in it"):
        _ = heard.whole


def test_certain_answers_give_no_nan() -> None:
    heard = Heard(np.zeros(2), np.zeros((2, 128)), np.array([[1.0, 0], [0, 1]], np.float32), np.ones(2, bool))
    np.testing.assert_allclose(heard.whole, 0.5)


def test_other_weights_are_refused(tmp_path: Path) -> None:
    empty = bytes.fromhex("0807120474657374") + bytes.fromhex("3a00")
    save_weights(tmp_path / "other.onnx", empty, {"kind": "motion", "format": 1})
    with pytest.raises(WeightsError):
        EmotionModel.load(tmp_path / "other.onnx")
