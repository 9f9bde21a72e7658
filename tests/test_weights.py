from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from evp.errors import OutputError, WeightsError
from evp.motion.expression import ExpressionModel
from evp.motion.model import MotionModel
from evp.render.engine import RendererWeights
from evp.weights import (
    FOLDER_VARIABLE,
    export_weights,
    halve,
    load_session,
    open_session,
    save_weights,
    seal,
    to_eight_bits,
    weights_file,
)

METADATA = {"kind": "test", "rate": 25, "scale": [0.5, 2.0], "ünïcode": "ß" * 300}


def doubling_model() -> bytes:
    """y = x + x, as a serialised ONNX model."""
    value = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [None]) for n in "xy"]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Add", ["x", "x"], ["y"])], "g", value[:1], value[1:]
    )
    opset = onnx.helper.make_opsetid("", 17)
    return onnx.helper.make_model(graph, opset_imports=[opset], ir_version=9).SerializeToString()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a folder" / "net.onnx"
    path.parent.mkdir()
    save_weights(path, doubling_model(), METADATA)
    return path


def test_network_and_metadata_come_back(path: Path) -> None:
    session = load_session(path, threads=1)
    assert session.metadata == METADATA
    np.testing.assert_array_equal(session.run(x=np.float32([1, -2]))[0], [2, -4])


def test_file_is_ordinary_onnx(path: Path) -> None:
    onnx.checker.check_model(onnx.load(path))


@pytest.mark.parametrize("position", [0.1, 0.5, 0.9, 0.999])
def test_every_flipped_byte_is_found(path: Path, position: float) -> None:
    content = bytearray(path.read_bytes())
    content[int(position * len(content))] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError):
        load_session(path)


@pytest.mark.parametrize("keep", [0, 1, 50, 200, -1])
def test_truncated_file_is_refused(path: Path, keep: int) -> None:
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(WeightsError):
        load_session(path)


def test_foreign_onnx_is_refused() -> None:
    with pytest.raises(WeightsError, match="not a weights file"):
        open_session(doubling_model(), "foreign.onnx")


def test_sealed_rubbish_is_refused() -> None:
    with pytest.raises(WeightsError, match="not a network"):
        open_session(seal(b"\x08\x01rubbish", METADATA), "rubbish.onnx")


def test_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot read") as error:
        load_session(tmp_path / "none.onnx")
    assert "\n" not in str(error.value)


def test_failed_write_leaves_the_old_file_and_nothing_else(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(TypeError):
        save_weights(path, doubling_model(), {"not json": object()})
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        save_weights(tmp_path / "none" / "net.onnx", doubling_model(), METADATA)


def test_torch_module_and_exported_weights_agree(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from evp.weights import export_weights

    torch.manual_seed(0)
    module = torch.nn.Conv1d(3, 2, 5, padding=2)
    frames = torch.export.Dim("frames", min=2, max=10_000)
    path = tmp_path / "net.onnx"
    export_weights(path, module, {"input": torch.zeros(1, 3, 8)}, ["y"], METADATA, {"input": {2: frames}})
    assert b".py" not in path.read_bytes()
    sound = torch.randn(1, 3, 31)
    with torch.no_grad():
        expected = module(sound).numpy()
    np.testing.assert_allclose(load_session(path).run(input=sound.numpy())[0], expected, atol=1e-5)


def test_half_the_file_gives_nearly_the_same(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    network = torch.nn.Linear(64, 48)
    example = {"input": torch.zeros(1, 64)}
    for name, half in (("whole", False), ("half", True)):
        export_weights(tmp_path / name, network, example, ["output"], METADATA, half=half)
    whole, half = (load_session(tmp_path / name, threads=1) for name in ("whole", "half"))
    assert half.metadata == METADATA
    assert (tmp_path / "half").stat().st_size < 0.7 * (tmp_path / "whole").stat().st_size
    inputs = np.random.default_rng(0).normal(size=(1, 64)).astype(np.float32)
    difference = half.run(input=inputs)[0] - whole.run(input=inputs)[0]
    assert 0 < np.abs(difference).max() < 2e-3
    onnx.checker.check_model(onnx.load(tmp_path / "half"))


def test_numbers_too_large_for_half_precision_are_left() -> None:
    values = np.float32([1e5, *range(2000)])
    array = onnx.numpy_helper.from_array(values, "w")
    model = onnx.helper.make_model(onnx.helper.make_graph([], "g", [], [], [array]))
    halve(model)
    [kept] = model.graph.initializer
    np.testing.assert_array_equal(onnx.numpy_helper.to_array(kept), values)


def test_a_byte_for_each_number_gives_nearly_the_same(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    network = torch.nn.Linear(128, 96)
    network.weight.data *= torch.logspace(-4, 4, 96)[:, None]  # rows of very different size
    example = {"input": torch.zeros(1, 128)}
    export_weights(tmp_path / "small", network, example, ["output"], METADATA, half=True, eight_bits=True)
    export_weights(tmp_path / "half", network, example, ["output"], METADATA, half=True)
    assert (tmp_path / "small").stat().st_size < (tmp_path / "half").stat().st_size - 2000
    inputs = np.random.default_rng(0).normal(size=(100, 128)).astype(np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(inputs)).numpy()
    given = np.concatenate(
        [load_session(tmp_path / "small", threads=1).run(input=row[None])[0] for row in inputs]
    )
    error = np.abs(given - expected).mean(axis=0) / expected.std(axis=0)
    assert 0 < error.max() < 0.02
    onnx.checker.check_model(onnx.load(tmp_path / "small"))


def test_only_matrices_are_stored_in_bytes() -> None:
    arrays = [onnx.numpy_helper.from_array(np.ones(shape, np.float32), "w") for shape in ((3000,), (10, 10))]
    for array in arrays:
        model = onnx.helper.make_model(onnx.helper.make_graph([], "g", [], [], [array]))
        to_eight_bits(model)
        assert [kept.data_type for kept in model.graph.initializer] == [onnx.TensorProto.FLOAT]


def test_equal_numbers_are_stored_once(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")

    class Twice(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("first", torch.arange(5000.0))
            self.register_buffer("second", torch.arange(5000.0))

        def forward(self, x):  # type: ignore[no-untyped-def]
            return x * self.first + (x * self.second).sin()

    x = torch.linspace(-1, 1, 5000)
    export_weights(tmp_path / "twice.onnx", Twice(), {"x": x}, ["y"], {})
    assert (tmp_path / "twice.onnx").stat().st_size < 1.5 * 4 * 5000
    session = load_session(tmp_path / "twice.onnx", threads=1)
    np.testing.assert_allclose(session.run(x=x.numpy())[0], Twice()(x), atol=1e-5)


def test_own_weights_take_the_place_of_packaged_ones_of_the_same_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    packaged = ExpressionModel.load()
    replace(packaged, faces=2 * packaged.faces).save(tmp_path / "expression.npz")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    np.testing.assert_array_equal(ExpressionModel.load().faces, 2 * packaged.faces)
    assert MotionModel.load().predict(np.zeros(3200)).shape == (5, 20), (
        "the folder has none: the packaged one"
    )
    (tmp_path / "renderer.onnx").write_bytes(b"other weights")
    assert [way.numbers for way in RendererWeights.packaged().ways()] == ["fp32"] * len(
        RendererWeights.packaged().ways()
    ), "int8 weights are of the packaged ones"


@pytest.mark.parametrize("given", ["nowhere", ""])
def test_folder_of_own_weights_has_to_be_there(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(FOLDER_VARIABLE, given and str(tmp_path / given))
    if given:
        with pytest.raises(WeightsError, match=r"EVP_WEIGHTS is .*nowhere.*, which is no folder"):
            weights_file("evp.motion", "motion.onnx")
    else:
        assert weights_file("evp.motion", "motion.onnx").exists(), "set to nothing is not set"
