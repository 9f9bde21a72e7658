"""Networks of others: known by their checksum, given what was promised, and SyncNet's figures on planted codes."""

import hashlib
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from python_speech_features import mfcc

from evp.comparison.films import Look
from evp.comparison.networks import (
    Codes,
    Network,
    Networks,
    arcface_crop,
    flat_similarity,
    lip_sync_errors,
    sync_faces,
    sync_rows,
)
from evp.errors import WeightsError
from tiny import actor, voice


def network(path: Path, inputs: dict[str, list]) -> tuple[Path, str]:
    """An ONNX file that gives the mean over all but the first axes and colours of every input: (B, 3) or (B, 1)."""
    given = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()]
    nodes, outputs = [], []
    for name, shape in inputs.items():
        axes = list(range(2, len(shape)))
        nodes.append(helper.make_node("ReduceMean", [name], [f"{name}_code"], axes=axes, keepdims=0))
        outputs.append(helper.make_tensor_value_info(f"{name}_code", TensorProto.FLOAT, None))
    graph = helper.make_graph(nodes, "means", given, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, str(path))
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def look(colour: tuple[int, int, int]) -> Look:
    picture = np.full((256, 256, 3), colour, np.uint8)
    points = actor(1).landmarks[0]
    return Look(picture, points, picture, points[:, :2] + 50)


def test_a_network_is_known_by_its_checksum(tmp_path):
    path, checksum = network(tmp_path / "inception.onnx", {"pictures": ["B", 3, 299, 299]})
    assert Network.load(path, ["00", checksum.upper()], 1, 1).sha256 == checksum
    with pytest.raises(WeightsError, match=f"say --sha256 {checksum}"):
        Network.load(path, ["00"], 1, 1)
    with pytest.raises(WeightsError, match="1 inputs and 1 outputs, 2 and 2 are needed"):
        Network.load(path, [checksum], 2, 2)
    with pytest.raises(WeightsError, match="cannot read"):
        Network.load(tmp_path / "nowhere.onnx", [], 1, 1)
    (tmp_path / "text.onnx").write_text("no network")
    told = hashlib.sha256(b"no network").hexdigest()
    with pytest.raises(WeightsError, match="not an ONNX network"):
        Network.load(tmp_path / "text.onnx", [told], 1, 1)


def test_a_network_that_takes_something_else_is_told(tmp_path):
    path, checksum = network(tmp_path / "n.onnx", {"pictures": ["B", 3, 64, 64]})
    loaded = Network.load(path, [checksum], 1, 1)
    with pytest.raises(WeightsError, match="does not take what it is given"):
        loaded.run(np.zeros((1, 3, 299, 299), np.float32))


def test_networks_are_given_what_was_promised(tmp_path):
    inception, a = network(tmp_path / "i.onnx", {"pictures": ["B", 3, 299, 299]})
    syncnet, b = network(tmp_path / "s.onnx", {"faces": ["B", 3, 5, 224, 224], "sound": ["B", 1, 13, 20]})
    identity, c = network(tmp_path / "f.onnx", {"faces": ["B", 3, 112, 112]})
    networks = Networks.load(inception, syncnet, identity, [a, b, c])
    codes = Codes(networks, 8, voice(0.32, 120))
    for number in range(8):
        codes.add(number, None if number == 6 else look((255, 0, 51)))
    assert len(codes.features) == 7
    np.testing.assert_allclose(codes.features[0], [[1, -1, -0.6]], atol=1e-4)
    assert sorted(codes.identities) == [0, 1, 2, 3, 4, 5, 7]
    np.testing.assert_allclose(np.linalg.norm(codes.identities[0]), 1, rtol=1e-6)
    assert len(codes._pictures) == 2  # frames 0-4 and 1-5
    np.testing.assert_allclose(codes._pictures[0], [[51, 0, 255]], atol=1e-3)


def test_five_faces_are_blue_green_red():
    faces = [np.full((4, 4, 3), (1, 2, 3 + n), np.uint8) for n in range(5)]
    assert sync_faces(faces).shape == (3, 5, 4, 4)
    np.testing.assert_array_equal(sync_faces(faces)[:, 4, 0, 0], [7, 2, 1])


def test_sound_is_that_of_the_usual_library_on_16_bit_numbers():
    waveform = voice(1.0, 130)
    rows = sync_rows(waveform, 25)
    expected = mfcc(waveform.astype(np.float64) * 32768, 16000, winstep=0.01)
    assert rows.shape == (100, 13)
    np.testing.assert_allclose(rows[1:97], expected[1:97], atol=1e-2)


def test_lip_sync_errors_of_codes_that_are_late_and_noisy():
    random = np.random.default_rng(0)
    sounds = random.normal(size=(200, 64))
    pictures = np.roll(sounds, 4, axis=0) + 0.1 * random.normal(size=(200, 64))
    confidence, distance = lip_sync_errors(pictures, sounds)
    assert distance == pytest.approx(0.1 * np.sqrt(64), rel=0.05)
    assert confidence == pytest.approx(np.sqrt(2 * 64) - distance, rel=0.05)
    unrelated, far = lip_sync_errors(random.normal(size=(200, 64)), sounds)
    assert unrelated < 0.5
    assert far > 10


def test_similarity_brings_points_back():
    points = np.random.default_rng(0).normal(size=(5, 2))
    turn = 2.5 * np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    found = flat_similarity(points, points @ turn.T + [3, -7])
    np.testing.assert_allclose(found, np.column_stack([turn, [3, -7]]))


def test_arcface_crop_has_the_eyes_where_they_belong():
    own = look((90, 90, 90))
    eye = own.crop_landmarks[[33, 133]].mean(axis=0)
    x, y = np.round(eye).astype(int)
    own.crop[y - 4 : y + 5, x - 4 : x + 5] = 255
    bright = np.argwhere(arcface_crop(own)[..., 0] > 200)
    np.testing.assert_allclose(bright.mean(axis=0)[::-1], [38.3, 51.7], atol=4)
