"""Folds and shadows that an emotion draws into skin: frown lines, forehead, cheeks beside the nose.

A target who was filmed neutral never showed them, so they come from other people as *ratio images* (Liu, Shan and
Zhang, "Expressive expression mapping with ratio images", 2001): how much darker or lighter each place of the face is
in an emotion than in neutral speech. Ratios leave out the skin's own colour and most of the light. Only what several
people share is kept, and only detail between fine lines and broad shadows.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.corpora.archives import open_archive
from evp.corpora.manifest import Manifest
from evp.emotion.space import NEUTRAL
from evp.errors import InputError, WeightsError
from evp.face.basis import FaceBasis
from evp.face.crop import CROP
from evp.face.layouts import (
    BROW_LEFT_LOWER,
    BROW_LEFT_UPPER,
    BROW_RIGHT_LOWER,
    BROW_RIGHT_UPPER,
    EYE_LEFT,
    EYE_RIGHT,
    FACE_OVAL,
    HAIRLINE,
    LIPS_OUTER,
    NOSE_BASE,
)
from evp.render.warp import Raster, WarpMesh
from evp.weights import save_arrays, weights_file

FORMAT = 1
SIZE = 192
"""Pixels of a side of the maps."""
_FACE_HEIGHT = 0.8
"""Height of the face in a map, of its side."""
_STEP = 0.003
"""What one unit of the stored bytes means, in natural logarithms of brightness."""
_DARKEST, _LIGHTEST = -0.35, 0.08
"""Bounds of the maps: a fold may be dark, but skin that shines looks wet."""
_EXAGGERATION = 1.4
"""How much stronger than what people share the maps are made: the sharpest of it has been averaged away."""
_COLOUR = np.array([0.87, 1.04, 1.13], np.float32)
"""How much of a fold's logarithm shows in red, green and blue (regression in darker places of two people's ratios): the
blood in skin keeps folds warm, and grey ones look like dirt."""
_OFFSET = 12.0
"""Added to brightness (0..255) before the logarithm: dark skin is not all noise."""
_FINE, _BROAD = 0.012, 0.06
"""Standard deviations between which detail is kept, of the side."""
_KEPT_OUT = (
    (EYE_LEFT, 0.015), (EYE_RIGHT, 0.015), (LIPS_OUTER, 0.012), (NOSE_BASE + (4,), 0.02),
    (BROW_LEFT_UPPER + BROW_LEFT_LOWER[::-1], 0.025), (BROW_RIGHT_UPPER + BROW_RIGHT_LOWER[::-1], 0.025),
)  # fmt: skip
"""Outlines of what is no skin, and how far around them (of the side) nothing is changed either."""


@dataclass(frozen=True)
class Wrinkles:
    """Maps of the labels, on the basis's mean face seen from the front."""

    labels: tuple[str, ...]
    maps: NDArray[np.float32]
    """(L, SIZE, SIZE) natural logarithm of the brightness at strength 1, relative to neutral."""
    basis: FaceBasis

    @staticmethod
    def load(path: Path | None = None) -> "Wrinkles":
        """The packaged maps, or those in ``path``. Raises WeightsError when the file does not fit."""
        source = path or weights_file("evp.render", "wrinkles.npz")
        try:
            with np.load(source, allow_pickle=False) as stored:
                if int(stored["format"]) != FORMAT or stored["maps"].shape[1:] != (SIZE, SIZE):
                    raise WeightsError(f"{source}: not the wrinkles of this version")
                labels = tuple(str(label) for label in stored["labels"])
                return Wrinkles(labels, stored["maps"] * np.float32(_STEP), FaceBasis.load())
        except (OSError, EOFError, BadZipFile, ValueError, KeyError) as error:
            raise WeightsError(f"{source}: not the wrinkles of emotions ({error})") from error

    def save(self, path: Path) -> None:
        """Write as a compressed archive of plain arrays."""
        stored = np.round(self.maps / _STEP).astype(np.int8)
        save_arrays(path, format=FORMAT, labels=np.array(self.labels), maps=stored)

    def draw(
        self, picture: NDArray[np.uint8], raster: Raster, shares: Mapping[str, float]
    ) -> NDArray[np.uint8]:
        """The made ``picture`` (S, S, 3) with the skin of ``shares`` (label -> 0..1); ``raster`` is of its mesh."""
        chosen = [
            (shares[label], one) for label, one in zip(self.labels, self.maps, strict=True) if label in shares
        ]
        if not chosen:
            return picture
        mixed = np.sum([np.float32(share) * one for share, one in chosen], axis=0)
        field = raster.field(self._vertices, step=4)
        x, y = (cv2.resize(place, (raster.size,) * 2) for place in (field.x, field.y))
        placed = cv2.remap(mixed, x, y, cv2.INTER_LINEAR, borderValue=0.0)
        coloured = cv2.exp(cv2.merge([placed * share for share in _COLOUR]))
        factor = cv2.resize(coloured, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        return np.asarray(cv2.multiply(picture, factor, dtype=cv2.CV_8U), np.uint8)

    @cached_property
    def _vertices(self) -> NDArray[np.float32]:
        return _canonical(self.basis)


def _canonical(basis: FaceBasis) -> NDArray[np.float32]:
    """Vertices of the warp mesh on a map."""
    mean = basis.mean * np.float32(_FACE_HEIGHT * SIZE)
    mean = mean + np.array([SIZE / 2, (1 - _FACE_HEIGHT) / 2 * SIZE - mean[HAIRLINE, 1], 0], np.float32)
    return WarpMesh.build(basis).vertices(mean, mean[list(FACE_OVAL)], SIZE)


def _skin(basis: FaceBasis) -> NDArray[np.float32]:
    """(SIZE, SIZE) 1 on skin, 0 elsewhere, soft."""
    vertices = _canonical(basis)

    def region(numbers: tuple[int, ...], reach: float) -> NDArray[np.uint8]:
        canvas = np.zeros((SIZE, SIZE), np.uint8)
        cv2.fillPoly(
            canvas, [np.round(vertices[list(numbers), :2] * 16).astype(np.int32)], 255, cv2.LINE_AA, 4
        )
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(abs(reach) * SIZE) + 1,) * 2)
        return np.asarray(cv2.dilate(canvas, kernel) if reach > 0 else cv2.erode(canvas, kernel), np.uint8)

    skin = region(FACE_OVAL, -0.045)
    for numbers, reach in _KEPT_OUT:
        skin = cv2.min(skin, cv2.bitwise_not(region(numbers, reach)))
    return np.asarray(cv2.GaussianBlur(skin.astype(np.float32) / 255, (0, 0), 0.012 * SIZE), np.float32)


def learn_wrinkles(corpus: Path, one_sided: tuple[str, ...] = ("contempt",)) -> Wrinkles:
    """The wrinkles of the labels in a prepared ``corpus`` with emotions, where every person needs a neutral recording.

    Both halves of the face are taken for the same but for the labels in ``one_sided``. Raises InputError when nobody
    has both a neutral and an emotional recording.
    """
    basis = FaceBasis.load()
    skin = _skin(basis)
    seen = _brightness(corpus, basis)
    labels = tuple(sorted({label for _, label in seen} - {NEUTRAL}))
    found, maps = [], []
    for label in labels:
        people = [person for person, felt in seen if felt == label and (person, NEUTRAL) in seen]
        ratios = [seen[person, label] - seen[person, NEUTRAL] for person in people]
        if label not in one_sided:
            ratios = [(ratio + ratio[:, ::-1]) / 2 for ratio in ratios]
        if ratios:
            found.append(label)
            maps.append(_detail(_shared(np.clip(ratios, -0.5, 0.5)), skin))
    if not found:
        raise InputError(f"{corpus}: nobody is there both in neutral speech and in an emotion")
    return Wrinkles(
        tuple(found), np.clip(_EXAGGERATION * np.stack(maps), _DARKEST, _LIGHTEST).astype(np.float32), basis
    )


def _brightness(corpus: Path, basis: FaceBasis) -> dict[tuple[str, str], NDArray[np.float64]]:
    """(person, label) -> (SIZE, SIZE) mean logarithm of the brightness on the mean face."""
    mesh = WarpMesh.build(basis)
    raster = Raster.draw(mesh, _canonical(basis), SIZE)
    sums: dict[tuple[str, str], list[NDArray[np.float64]]] = defaultdict(list)
    for clip in Manifest.read(corpus).clips:
        if not clip.filmed or clip.emotion is None or clip.split != "train":
            continue
        with open_archive(corpus / clip.file) as stored:
            jpeg, offsets = stored["crops"], stored["crop_offsets"]
            landmarks, outlines = stored["crop_landmarks"], stored["crop_outline"]
        for number in range(len(landmarks)):
            grey = cv2.imdecode(jpeg[offsets[number] : offsets[number + 1]], cv2.IMREAD_GRAYSCALE)
            vertices = mesh.vertices(landmarks[number], outlines[number], CROP) * np.float32(SIZE / CROP)
            flat = raster.field(vertices).sample(cv2.merge([grey] * 3), SIZE)[..., 0]
            sums[clip.speaker, clip.emotion].append(np.log(flat + _OFFSET))
    return {key: np.mean(pictures, axis=0) for key, pictures in sums.items()}


def _shared(ratios: NDArray[np.float64]) -> NDArray[np.float64]:
    """People's mean ratio less what they differ by, from ratios (N, SIZE, SIZE): one person's fringe is no wrinkle."""
    mean = ratios.mean(axis=0)
    return np.asarray(np.sign(mean) * np.clip(np.abs(mean) - ratios.std(axis=0), 0, None))


def _detail(ratio: NDArray[np.float64], skin: NDArray[np.float32]) -> NDArray[np.float32]:
    """What lies between fine lines and broad shadows, on skin alone."""
    ratio = ratio.astype(np.float32)
    broad = _BROAD * SIZE
    around = cv2.GaussianBlur(ratio * skin, (0, 0), broad) / (cv2.GaussianBlur(skin, (0, 0), broad) + 1e-3)
    return np.asarray((cv2.GaussianBlur(ratio, (0, 0), _FINE * SIZE) - around) * skin, np.float32)
