"""Landmarks and footage -> the made face, at the footage's own resolution."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.errors import WeightsError
from evp.face.basis import FaceBasis
from evp.face.crop import CROP
from evp.render.inputs import INPUT_CHANNELS, View, compose, prepare
from evp.render.warp import WarpMesh
from evp.render.wrinkles import Wrinkles
from evp.weights import Session

_STEP = 16
"""The network halves the picture four times."""


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
        prepared = prepare(self._mesh, landmarks, frame, skin, mouth)
        rows, columns = _used(prepared.mask)
        correction = np.zeros((3, CROP, CROP), np.float32)
        correction[:, rows, columns] = self._session.run(inputs=prepared.tensor[None, :, rows, columns])[0][0]
        made = compose(prepared, correction, frame, skin, mouth)
        return self._wrinkles.draw(made, prepared.raster, emotions) if emotions else made


def _used(mask: NDArray[np.uint8]) -> tuple[slice, slice]:
    """Rows and columns around all of a mask (256, 256), in steps that the network can take."""
    left, top, width, height = cv2.boundingRect(mask)
    return (
        slice(top // _STEP * _STEP, -(-(top + height) // _STEP) * _STEP),
        slice(left // _STEP * _STEP, -(-(left + width) // _STEP) * _STEP),
    )
