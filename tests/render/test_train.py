from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from evp.corpora.manifest import ClipEntry, Manifest
from evp.errors import InputError
from evp.face.basis import FaceBasis
from evp.render.inputs import INPUT_CHANNELS
from evp.render.network import RenderNetwork
from evp.render.renderer import Renderer
from evp.render.train import (
    PATCH,
    Examples,
    RenderConfig,
    compose_output,
    export,
    fit,
    packaged,
    restore,
    train_renderer,
)
from evp.render.warp import WarpMesh
from evp.weights import Session, load_session
from tiny import crops, write_crops_corpus

CONFIG = RenderConfig(steps=4, batch=2, checkpoint_every=2)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def small_network() -> RenderNetwork:
    torch.manual_seed(0)
    return RenderNetwork((8, 8, 8, 8))


def parameters(network: RenderNetwork) -> dict[str, np.ndarray]:
    return {name: value.detach().numpy().copy() for name, value in network.state_dict().items()}


def test_steps_change_the_network_and_say_what_they_cost():
    network, seen = small_network(), []
    before = parameters(network)
    fit(network, [crops(6)], replace(CONFIG, steps=2), progress=lambda *told: seen.append(told))
    assert [(done, total) for done, total, _ in seen] == [(1, 2), (2, 2)]
    for _, _, losses in seen:
        assert set(losses) == {*CONFIG.loss_weights, "total"}
        assert all(np.isfinite(value) and value > 0 for value in losses.values())
    changed = [name for name, value in parameters(network).items() if not np.array_equal(value, before[name])]
    assert set(changed) == set(before)


def test_training_lowers_the_loss_on_what_it_sees():
    network, seen = small_network(), []
    config = RenderConfig(steps=16, batch=2, learning_rate=2e-2)
    fit(network, [crops(4)], config, progress=lambda _, __, losses: seen.append(losses["pixel"]))
    assert np.mean(seen[-4:]) < 0.9 * np.mean(seen[:4])


def test_stop_and_resume_is_no_stop(tmp_path: Path):
    whole = small_network()
    fit(whole, [crops(6)], CONFIG)

    def stop(done: int, *_: object) -> None:
        if done == 3:  # one step after the checkpoint: that step is made again
            raise KeyboardInterrupt

    checkpoint = tmp_path / "run.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        fit(small_network(), [crops(6)], CONFIG, checkpoint, stop)
    assert [path.name for path in tmp_path.iterdir()] == ["run.checkpoint"]
    torch.manual_seed(99)
    resumed, steps = RenderNetwork((8, 8, 8, 8)), []
    fit(resumed, [crops(6)], CONFIG, checkpoint, lambda done, *_: steps.append(done))
    assert steps == [3, 4]
    for name, value in parameters(whole).items():
        np.testing.assert_array_equal(parameters(resumed)[name], value, err_msg=name)


def test_time_limit_ends_the_training_early():
    steps: list[int] = []
    fit(
        small_network(),
        [crops(4)],
        replace(CONFIG, seconds=1e-9),
        progress=lambda done, *_: steps.append(done),
    )
    assert steps == []


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"batch": 0}, {"checkpoint_every": 0}])
def test_contradictions_are_refused(wrong: dict[str, int]):
    with pytest.raises(ValueError, match="positive"):
        RenderConfig(**wrong)


def test_example_k_is_always_the_same_and_hides_nothing():
    mesh = WarpMesh.build(FaceBasis.load())
    one, again = (Examples([crops(6)], mesh, 5, seed=3) for _ in range(2))
    assert len(one) == 5
    inputs, true = one[4]
    for made, expected in zip(again[4], (inputs, true), strict=True):
        assert torch.equal(made, expected)
    assert inputs.shape == (INPUT_CHANNELS, PATCH, PATCH)
    assert true.shape == (3, PATCH, PATCH)
    assert not torch.equal(one[3][0], inputs)
    assert (inputs[10] > 0).any()  # the mouth is always there
    outside = inputs[6] == 0
    torch.testing.assert_close(inputs[:3, outside], true[:, outside], atol=1e-5, rtol=0)


def test_outside_the_mask_the_network_changes_nothing():
    network = small_network()
    torch.nn.init.normal_(network.leave.weight)
    inputs = torch.rand(1, INPUT_CHANNELS, 64, 64)
    inputs[:, 6, :, :32] = 0
    made, mask = compose_output(network, inputs)
    torch.testing.assert_close(made[..., :32], inputs[:, :3, :, :32])
    assert not torch.equal(made[..., 32:], inputs[:, :3, :, 32:])
    assert mask.shape == (1, 1, 64, 64)


def test_untrained_network_leaves_the_warped_picture():
    inputs = torch.rand(1, INPUT_CHANNELS, 64, 64)
    made, _ = compose_output(small_network(), inputs)
    torch.testing.assert_close(made, inputs[:, :3], atol=0.02, rtol=0)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[RenderNetwork, Path]:
    torch.manual_seed(1)
    network = RenderNetwork()
    torch.nn.init.normal_(network.leave.weight, std=0.02)
    for name, value in network.named_parameters():
        if name.endswith("bias"):  # as after any training: equal tensors are stored once
            torch.nn.init.normal_(value, std=0.1)
    path = tmp_path_factory.mktemp("weights") / "renderer.onnx"
    export(network, path, CONFIG)
    return network, path


@pytest.mark.parametrize(("rows", "columns"), [(256, 256), (160, 208), (32, 32)])
def test_engine_computes_what_torch_does(exported: tuple[RenderNetwork, Path], rows: int, columns: int):
    network, path = exported
    inputs = torch.rand(1, INPUT_CHANNELS, rows, columns, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = network(inputs).numpy()
    made = load_session(path, threads=1).run(inputs=inputs.numpy())[0]
    assert np.abs(expected).max() > 0.01
    np.testing.assert_allclose(made, expected, atol=1e-4)


def test_restored_network_is_the_exported_one(exported: tuple[RenderNetwork, Path]):
    network, path = exported
    again = parameters(restore(path.read_bytes()))
    for name, value in parameters(network).items():
        np.testing.assert_array_equal(again[name], value, err_msg=name)


def test_exported_weights_say_how_they_were_made_and_are_a_renderer(exported: tuple[RenderNetwork, Path]):
    session: Session = load_session(exported[1], threads=1)
    assert session.metadata["training"]["steps"] == CONFIG.steps
    assert "seconds" not in session.metadata["training"]  # infinity is no JSON
    Renderer(session, FaceBasis.load())


def test_packaged_weights_can_be_trained_further():
    network = packaged()
    assert {name: value.shape for name, value in parameters(network).items()} == {
        name: value.shape for name, value in parameters(RenderNetwork()).items()
    }


def test_corpus_to_weights_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    written: list[Path] = []
    monkeypatch.setattr("evp.render.train.export", lambda _, path, __: written.append(path))
    corpus = write_crops_corpus(tmp_path / "corpus", speakers=2, frames=6)
    steps: list[int] = []
    config = replace(CONFIG, steps=2, batch=1, checkpoint_every=1)
    train_renderer(corpus, tmp_path / "out.onnx", config, lambda done, *_: steps.append(done))
    assert steps == [1, 2]
    assert written == [tmp_path / "out.onnx"]
    assert not (tmp_path / "out.onnx.checkpoint").exists()


def test_runs_whose_files_begin_alike_have_a_checkpoint_each(tmp_path: Path):
    corpus = write_crops_corpus(tmp_path / "corpus", speakers=1, frames=6)
    config = replace(CONFIG, steps=2, batch=1, checkpoint_every=1)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    for name in ("a.onnx", "a.bin"):
        with pytest.raises(KeyboardInterrupt):
            train_renderer(corpus, tmp_path / name, config, stop)
    assert {path.name for path in tmp_path.glob("*.*")} == {"a.onnx.checkpoint", "a.bin.checkpoint"}


def test_a_run_does_not_go_on_with_other_people_or_settings(tmp_path: Path):
    one, two = (write_crops_corpus(tmp_path / str(count), count, 6) for count in (1, 2))
    config = replace(CONFIG, steps=2, batch=1, checkpoint_every=1)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_renderer(one, tmp_path / "out.onnx", config, stop)
    with pytest.raises(InputError, match=r"another corpus.*corpus\.speakers, corpus\.clips"):
        train_renderer(two, tmp_path / "out.onnx", config)
    with pytest.raises(InputError, match=r"\(seed\)"):
        train_renderer(one, tmp_path / "out.onnx", replace(config, seed=1))


def test_sound_alone_teaches_no_pictures(tmp_path: Path):
    Manifest((ClipEntry("a.npz", "a", "a.wav", 30, filmed=False),)).write(tmp_path)
    with pytest.raises(InputError, match="no filmed clip"):
        train_renderer(tmp_path, tmp_path / "out.onnx", CONFIG)


def test_folder_that_is_no_corpus_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="corpus"):
        train_renderer(tmp_path, tmp_path / "out.onnx", CONFIG)
