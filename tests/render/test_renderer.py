from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest

from evp.errors import WeightsError
from evp.face.basis import FaceBasis
from evp.face.crop import CROP
from evp.render.inputs import INPUT_CHANNELS, View, compose, prepare
from evp.render.renderer import Renderer
from evp.render.warp import WarpMesh
from tiny import crops

METADATA = {"kind": "renderer", "crop": CROP, "channels": INPUT_CHANNELS}


@dataclass
class Correction:
    """Stands in for a session: a network that makes everything lighter by ``value``."""

    value: float = 0.0
    metadata: dict = field(default_factory=lambda: dict(METADATA))
    seen: list[tuple[int, ...]] = field(default_factory=list)

    def run(self, inputs: np.ndarray) -> list[np.ndarray]:
        self.seen.append(inputs.shape)
        return [np.full((1, 3, *inputs.shape[2:]), self.value, np.float32)]


def views(size: int = CROP) -> tuple[View, View]:
    """Two views of a drawn person."""
    own = crops(8)
    scale = size / CROP
    return tuple(
        View(
            cv2.resize(v.picture, (size, size)),
            v.landmarks * np.float32(scale),
            v.outline * np.float32(scale),
        )
        for v in (own.view(2), own.view(7))
    )


@pytest.mark.parametrize("wrong", [{"kind": "motion"}, {"crop": 128}, {"channels": 3}])
def test_other_weights_are_refused(wrong: dict[str, object]):
    with pytest.raises(WeightsError, match="renderer"):
        Renderer(Correction(metadata=METADATA | wrong), FaceBasis.load())


@pytest.mark.parametrize("size", [CROP, 200, 400])
def test_network_that_corrects_nothing_gives_the_warped_picture(size: int):
    frame, source = views(size)
    made = Renderer(Correction(), FaceBasis.load()).render(frame.landmarks, frame, [source], [source])
    prepared = prepare(WarpMesh.build(FaceBasis.load()), frame.landmarks, frame, [source], [source])
    expected = compose(prepared, np.zeros((3, CROP, CROP), np.float32), frame, [source], [source])
    assert made.shape == (size, size, 3)
    np.testing.assert_array_equal(made, expected)


def test_only_the_part_with_the_face_is_computed_and_all_of_it_counts():
    frame, source = views()
    session = Correction(0.2)
    made = Renderer(session, FaceBasis.load()).render(frame.landmarks, frame, [source], [source]).astype(int)
    plain = Renderer(Correction(), FaceBasis.load()).render(frame.landmarks, frame, [source], [source])
    (_, channels, rows, columns) = session.seen[0]
    assert channels == INPUT_CHANNELS
    assert rows % 16 == columns % 16 == 0
    assert rows * columns < CROP * CROP
    prepared = prepare(WarpMesh.build(FaceBasis.load()), frame.landmarks, frame, [source], [source])
    mask = prepared.mask
    lighter = (mask == 255) & (prepared.inside == 0) & (plain.max(axis=2) < 200)
    np.testing.assert_allclose((made - plain)[lighter], 51, atol=1)
    np.testing.assert_array_equal(made[mask == 0], plain[mask == 0])


def test_with_the_frames_own_skin_the_network_works_at_the_mouth_alone():
    frame, source = views()
    session, bare = Correction(0.2), Correction()
    made, plain = (
        Renderer(network, FaceBasis.load()).render(frame.landmarks, frame, [frame], [source]).astype(int)
        for network in (session, bare)
    )
    (_, _, rows, columns) = session.seen[0]
    assert rows % 16 == columns % 16 == 0
    prepared = prepare(WarpMesh.build(FaceBasis.load()), frame.landmarks, frame, [frame], [source])
    assert prepared.work.shape == (rows, columns)
    assert rows * columns < np.prod(prepared.region.shape) / 2
    changed = (made - plain).max(axis=2)
    outside = np.ones_like(changed, bool)
    outside[prepared.work.index] = False
    assert not changed[outside].any()
    lips = np.zeros_like(outside)
    lips[prepared.lips.index] = True
    bright = lips & (prepared.mask == 255) & (prepared.inside == 0) & (plain.max(axis=2) < 200)
    np.testing.assert_allclose((made - plain)[bright], 51, atol=1)
    edge = changed[prepared.work.rows.start + 1, prepared.work.columns]
    assert edge.max() < 51 / 2, "nothing begins at once"
