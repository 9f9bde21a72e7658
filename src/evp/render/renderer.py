"""Landmarks and footage -> the made face, at the footage's own resolution."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from evp.errors import WeightsError
from evp.face.basis import FaceBasis
from evp.face.crop import CROP
from evp.render.inputs import INPUT_CHANNELS, Prepared, View, compose, prepare
from evp.render.warp import WarpMesh
from evp.render.wrinkles import Wrinkles
from evp.weights import Session


class Renderer:
    """Warps footage to new landmarks and lets the network correct it.

    The network works on a crop of 256 x 256; its correction is smooth enough to be enlarged, while the pixels
    themselves are warped at the footage's resolution: nothing becomes softer than the source.
    """

    def __init__(self, session: Session, basis: FaceBasis) -> None:
        kind = (session.metadata.get("kind"), session.metadata.get("crop"), session.metadata.get("channels"))
        if kind != ("renderer", CROP, INPUT_CHANNELS):
            raise WeightsError(f"these weights are no renderer of this version: {kind}")
        self._session = session
        self._mesh = WarpMesh.build(basis)
        self._wrinkles = Wrinkles.load()

    def render(
        self,
        landmarks: NDArray[np.float32],
        frame: View,
        skin: Sequence[View],
        mouth: Sequence[View],
        emotions: Mapping[str, float] | None = None,
    ) -> NDArray[np.uint8]:
        """The crop (S, S, 3) with a new face: ``landmarks`` (478, 3) in pixels of the crop of ``frame``.

        ``skin`` gives the pixels of the face and ``mouth`` the inside of the mouth, each the mean of its warped
        views; of ``frame`` only what lies outside the face is used, unless it is among ``skin``. The folds that
        ``emotions`` (label -> share, 0..1) draw into skin are added.
        """
        return self.finish(self.correct(self.draft(landmarks, frame, skin, mouth, emotions)))

    # The same in three steps, so that those of consecutive frames can overlap.

    def draft(
        self,
        landmarks: NDArray[np.float32],
        frame: View,
        skin: Sequence[View],
        mouth: Sequence[View],
        emotions: Mapping[str, float] | None = None,
    ) -> "Draft":
        """The first step of `render`: warps everything at the network's resolution."""
        return Draft(prepare(self._mesh, landmarks, frame, skin, mouth), frame, skin, mouth, emotions or {})

    def correct(self, draft: "Draft") -> "Draft":
        """The second step: what the network adds."""
        correction = self._session.run(inputs=draft.prepared.working[None])[0][0]
        return replace(draft, correction=draft.prepared.placed(correction))

    def finish(self, draft: "Draft") -> NDArray[np.uint8]:
        """The third step: the picture (S, S, 3) at the footage's resolution."""
        made = compose(draft.prepared, draft.correction, draft.frame, draft.skin, draft.mouth)
        if not draft.emotions:
            return made
        return self._wrinkles.draw(made, draft.prepared.raster, draft.emotions)


@dataclass(frozen=True)
class Draft:
    """A frame that is being made."""

    prepared: Prepared
    frame: View
    skin: Sequence[View]
    mouth: Sequence[View]
    emotions: Mapping[str, float]
    correction: NDArray[np.float32] = field(default_factory=lambda: np.zeros((3, CROP, CROP), np.float32))
    """(3, 256, 256) of the network."""
