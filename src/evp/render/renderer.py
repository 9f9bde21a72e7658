"""Landmarks and footage -> the made face, at the footage's own resolution."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.errors import WeightsError
from evp.face.basis import FaceBasis
from evp.face.crop import CROP, scaled_points
from evp.render.inputs import INPUT_CHANNELS, View, blend, compose, prepare
from evp.render.warp import WarpMesh
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

    def render(
        self, landmarks: NDArray[np.float32], frame: View, skin: Sequence[View], mouth: Sequence[View]
    ) -> NDArray[np.uint8]:
        """The crop (S, S, 3) with a new face: ``landmarks`` (478, 3) in pixels of the crop of ``frame``.

        ``skin`` gives the pixels of the face and ``mouth`` the inside of the mouth, each the mean of its warped
        views; of ``frame`` only what lies outside the face is used, unless it is among ``skin``.
        """
        size = frame.size
        small = {id(view): view.resized(CROP) for view in (frame, *skin, *mouth)}
        prepared = prepare(
            self._mesh,
            scaled_points(landmarks, CROP / size),
            small[id(frame)],
            [small[id(view)] for view in skin],
            [small[id(view)] for view in mouth],
        )
        correction = self._session.run(inputs=prepared.tensor[None])[0][0].transpose(1, 2, 0)
        mask, inside = (
            cv2.resize(m, (size, size), interpolation=cv2.INTER_LINEAR)
            for m in (prepared.mask, prepared.inside)
        )
        warped = compose(prepared.raster, mask, inside, frame, skin, mouth)
        enlarged = cv2.resize(correction * np.float32(255), (size, size), interpolation=cv2.INTER_LINEAR)
        corrected = cv2.add(warped, enlarged, dtype=cv2.CV_8U)
        return blend(warped, corrected, mask)
