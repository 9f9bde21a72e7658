from pathlib import Path

import numpy as np
import pytest

from evp.clock import SAMPLE_RATE, frames_for_samples
from evp.errors import WeightsError
from evp.face.basis import FaceBasis
from evp.motion.model import MotionModel


def made_up_speech(seconds: float, seed: int = 0) -> np.ndarray:
    """A buzz through two moving resonances, four syllables a second."""
    random = np.random.default_rng(seed)
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    first, second = 500 + 250 * np.sin(2 * np.pi * 2.1 * time), 1500 + 500 * np.sin(2 * np.pi * 1.3 * time)
    voice = sum(
        np.sin(2 * np.pi * 120 * k * time)
        * (1 / (1 + ((120 * k - first) / 90) ** 2) + 0.5 / (1 + ((120 * k - second) / 140) ** 2))
        for k in range(1, 30)
    )
    return (
        0.1 * voice * np.clip(np.sin(2 * np.pi * 4 * time), 0, 1) + 1e-4 * random.standard_normal(len(time))
    ).astype(np.float32)


@pytest.fixture(scope="module")
def model() -> MotionModel:
    return MotionModel.load()


@pytest.mark.parametrize("samples", [1, 639, 641, 16_000, 40_001])
def test_a_frame_for_every_25th_of_a_second(model: MotionModel, samples: int) -> None:
    coefficients = model.predict(made_up_speech(3)[:samples])
    assert coefficients.shape == (frames_for_samples(samples), FaceBasis.load().mouth_count)
    assert coefficients.dtype == np.float32 and np.isfinite(coefficients).all()


def test_no_sound_no_frames(model: MotionModel) -> None:
    assert model.predict(np.zeros(0, np.float32)).shape == (0, FaceBasis.load().mouth_count)


@pytest.mark.parametrize("block_frames", [7, 13, 60])
def test_result_does_not_depend_on_the_block(model: MotionModel, block_frames: int) -> None:
    sound = made_up_speech(4)
    blocks = list(model.predict_blocks(sound, block_frames=block_frames))
    assert max(map(len, blocks)) <= block_frames
    np.testing.assert_allclose(np.concatenate(blocks), model.predict(sound), atol=1e-4)


def test_sound_later_means_motion_later(model: MotionModel) -> None:
    sound = made_up_speech(3)
    delayed = np.concatenate([np.zeros(10 * 640, np.float32), sound])
    np.testing.assert_allclose(model.predict(delayed)[10 + 30 : -30], model.predict(sound)[30:-30], atol=0.1)


def test_loudness_does_not_matter(model: MotionModel) -> None:
    sound = made_up_speech(3)
    np.testing.assert_allclose(model.predict(0.5 * sound), model.predict(sound), atol=0.15)


def test_mouth_moves_with_speech_and_rests_in_silence(model: MotionModel) -> None:
    basis, pause = FaceBasis.load(), np.zeros(SAMPLE_RATE, np.float32)
    sound = np.concatenate([made_up_speech(2), pause, made_up_speech(2)])
    moved = basis.displacement(model.predict(sound))
    lips = moved[:, [13, 14, 61, 291]]
    assert lips[5:45].std(axis=0).max() > 0.005
    middle = lips[50 + 7 : 50 + 20]
    assert np.ptp(middle, axis=0).max() < 0.003 and np.abs(middle).max() < 0.003


def test_neutral_is_an_emotion_of_zeros(model: MotionModel) -> None:
    sound = made_up_speech(1)
    np.testing.assert_array_equal(model.predict(sound, np.zeros(128, np.float32)), model.predict(sound))


def test_other_weights_are_refused(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    from evp.weights import save_weights

    value = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None]) for name in "xy"]
    graph = onnx.helper.make_graph([onnx.helper.make_node("Neg", ["x"], ["y"])], "g", value[:1], value[1:])
    other = onnx.helper.make_model(graph, ir_version=9, opset_imports=[onnx.helper.make_opsetid("", 17)])
    save_weights(tmp_path / "other.onnx", other.SerializeToString(), {"kind": "render", "format": 1})
    with pytest.raises(WeightsError, match="not a motion model"):
        MotionModel.load(tmp_path / "other.onnx")
