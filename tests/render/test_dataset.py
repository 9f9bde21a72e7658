from pathlib import Path

import numpy as np
import pytest

from evp.errors import InputError
from evp.face.basis import FaceBasis
from evp.face.crop import CROP
from evp.render import dataset
from evp.render.dataset import Crops, example, sampling_weights
from evp.render.inputs import INPUT_CHANNELS
from evp.render.warp import WarpMesh
from tiny import crops, write_crops_corpus


def mesh() -> WarpMesh:
    return WarpMesh.build(FaceBasis.load())


def test_the_last_fifth_of_every_clip_is_held_out(tmp_path: Path):
    folder = write_crops_corpus(tmp_path / "corpus", speakers=2, frames=10)
    training, held_out = Crops.read(sorted(folder.glob("*.npz")))
    assert (len(training), len(held_out)) == (16, 4)
    assert set(held_out.frame) == {8, 9}
    assert set(training.frame) == set(range(8))
    for part in (training, held_out):
        assert set(part.clip) == {0, 1}


def test_crops_are_read_as_they_were_written(tmp_path: Path):
    written = crops(10)
    training, held_out = Crops.read([write_crops_corpus(tmp_path / "c", 1, 10) / "s0__a.npz"])
    for part, first in ((training, 0), (held_out, 8)):
        for name in ("landmarks", "outline", "angles", "shape"):
            np.testing.assert_array_equal(
                getattr(part, name), getattr(written, name)[first : first + len(part)]
            )
        np.testing.assert_array_equal(part.view(1).picture, written.view(first + 1).picture)


def test_clip_without_crops_is_passed_over_and_none_at_all_refused(tmp_path: Path):
    folder = write_crops_corpus(tmp_path / "c", 1, 10)
    np.savez(folder / "empty.npz", crop_frames=np.zeros(0, int), crops=np.zeros(0, np.uint8))
    np.savez(folder / "sound.npz", waveform=np.zeros(10))
    training, _ = Crops.read([folder / "empty.npz", folder / "sound.npz", folder / "s0__a.npz"])
    assert set(training.clip) == {2}
    with pytest.raises(InputError, match="no prepared crops"):
        Crops.read([folder / "empty.npz"])


def test_subset_keeps_everything_in_step():
    whole = crops(6)
    keep = np.array([False, True, False, False, True, True])
    part = whole.subset(keep)
    assert part.frame.tolist() == [1, 4, 5]
    np.testing.assert_array_equal(part.view(1).picture, whole.view(4).picture)
    np.testing.assert_array_equal(part.landmarks[1], whole.landmarks[4])


def test_example_is_a_whole_input_and_the_true_picture():
    own = crops(8)
    inputs, true = example(mesh(), own, 3, np.random.default_rng(0))
    assert inputs.shape == (INPUT_CHANNELS, CROP, CROP)
    np.testing.assert_array_equal(true, own.view(3).picture)
    outside = inputs[6] == 0
    np.testing.assert_allclose(inputs[:3, outside].T * 255, true[outside], atol=0.01)


def test_example_follows_from_its_generator():
    own = crops(8)
    one, same, other = (example(mesh(), own, 3, np.random.default_rng(seed))[0] for seed in (5, 5, 6))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_picture_that_is_to_be_made_is_never_a_source(monkeypatch: pytest.MonkeyPatch):
    own = crops(8)
    drawn: list[tuple[np.ndarray, list[np.ndarray]]] = []
    real = dataset.prepare

    def watched(mesh, landmarks, frame, skin, mouth):
        drawn.append((frame.outline, [view.outline for view in (*skin, *mouth)]))
        return real(mesh, landmarks, frame, skin, mouth)

    monkeypatch.setattr(dataset, "prepare", watched)
    for seed in range(12):
        example(mesh(), own, seed % 8, np.random.default_rng(seed))
    for frame, sources in drawn:
        assert len(sources) >= 2
        assert all(not np.array_equal(frame, source) for source in sources)


def test_people_are_drawn_by_the_root_of_their_footage():
    np.testing.assert_allclose(sampling_weights([crops(1), crops(4), crops(9)]), [1 / 6, 2 / 6, 3 / 6])
