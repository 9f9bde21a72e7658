"""Prepared crops of many people -> training examples for the renderer (numpy only)."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.corpora.archives import open_archive
from evp.errors import InputError
from evp.face.layouts import FACE_OVAL, UPPER_LIP_INNER
from evp.render.inputs import View, prepare
from evp.render.sources import MOST_SKIN_SOURCES, misfit
from evp.render.warp import WarpMesh

_NEAR_FRAMES = 12
"""Frames of the same clip closer than this to the one to be made never give it the inside of the mouth."""


@dataclass(frozen=True)
class Crops:
    """Face crops of one person, in memory as JPEG."""

    pictures: list[NDArray[np.uint8]]
    """JPEG streams of (256, 256, 3) RGB crops."""
    landmarks: NDArray[np.float32]
    """(N, 478, 3) pixels of the crop."""
    outline: NDArray[np.float32]
    """(N, 36, 2) outline of the neutral face under the frame's pose, pixels of the crop."""
    angles: NDArray[np.float32]
    """(N, 3) yaw, pitch, roll in degrees."""
    shape: NDArray[np.float32]
    """(N, M + U) expressions, as ``FaceBasis.shape`` gives them."""
    clip: NDArray[np.int32]
    """(N,) number of the clip."""
    frame: NDArray[np.int32]
    """(N,) frame within the clip."""

    def __len__(self) -> int:
        return len(self.pictures)

    def view(self, number: int) -> View:
        """Crop ``number`` as a view."""
        picture = cv2.imdecode(self.pictures[number], cv2.IMREAD_COLOR)[:, :, ::-1]
        return View(np.ascontiguousarray(picture), self.landmarks[number], self.outline[number])

    def subset(self, keep: NDArray[np.bool_]) -> "Crops":
        """The crops for which ``keep`` (N,) is true."""
        return Crops(
            [p for p, k in zip(self.pictures, keep, strict=True) if k], self.landmarks[keep], self.outline[keep],
            self.angles[keep], self.shape[keep], self.clip[keep], self.frame[keep],
        )  # fmt: skip

    @staticmethod
    def read(paths: list[Path], held_out: float = 0.2) -> tuple["Crops", "Crops"]:
        """One person's prepared clips -> (training crops, held-out crops): the last part of every clip is held out."""
        parts: list[tuple[list[NDArray[np.uint8]], dict[str, NDArray]]] = []
        held: list[NDArray[np.bool_]] = []
        for number, path in enumerate(paths):
            with open_archive(path) as stored:
                if "crops" not in stored or len(stored["crop_frames"]) == 0:
                    continue
                cuts = stored["crop_offsets"]
                frames = stored["crop_frames"]
                stream = stored["crops"]
                pictures = [stream[a:b].copy() for a, b in zip(cuts[:-1], cuts[1:], strict=True)]
                fields = {k: stored[f"crop_{k}"] for k in ("landmarks", "outline", "angles", "shape")}
                fields["clip"] = np.full(len(frames), number, np.int32)
                fields["frame"] = frames.astype(np.int32)
                parts.append((pictures, fields))
                held.append(frames >= (1 - held_out) * int(stored["frames"]))
        if not parts:
            raise InputError(f"{paths[0]}: no prepared crops")
        everything = Crops(
            [p for pictures, _ in parts for p in pictures],
            *(np.concatenate([f[k] for _, f in parts])
              for k in ("landmarks", "outline", "angles", "shape", "clip", "frame")),
        )  # fmt: skip
        last = np.concatenate(held)
        return everything.subset(~last), everything.subset(last)


def example(
    mesh: WarpMesh, crops: Crops, number: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Input tensor (11, 256, 256) and true picture (256, 256, 3) for crop ``number``, sources drawn at random.

    The skin comes from a frame with a near pose or, sometimes, from a moment before or after in the same clip, as
    when a portrait runs; the mouth from a frame with a mouth that is more or less similar.
    """
    same_clip = crops.clip == crops.clip[number]
    apart = np.abs(crops.frame - crops.frame[number])
    moments = np.flatnonzero(same_clip & (apart >= 2) & (apart <= _NEAR_FRAMES))
    others = np.flatnonzero(~same_clip | (apart > _NEAR_FRAMES))
    if len(others) == 0:
        others = np.flatnonzero(np.arange(len(crops)) != number)
    few = rng.choice(others, min(len(others), 128), replace=False)
    turned = np.linalg.norm(crops.angles[few] - crops.angles[number], axis=1)
    if len(moments) and rng.random() < 0.4:
        skin = rng.choice(moments, 1)
    else:
        best = few[np.argsort(misfit(crops.shape[few], crops.shape[number], turned, mouth_share=0.5))]
        skin = rng.choice(
            best[:4], min(int(rng.integers(1, MOST_SKIN_SOURCES + 1)), len(best)), replace=False
        )
    offered = int(np.ceil(len(few) ** rng.random()))  # from one at random to all of them
    fits = misfit(crops.shape[few[:offered]], crops.shape[number], turned[:offered], mouth_share=0.9)
    mouth = int(few[np.argmin(fits)])
    true = crops.view(number)
    sources = [crops.view(int(source)) for source in skin]
    prepared = prepare(mesh, true.landmarks, _jaw_moved(true, rng), sources, [crops.view(mouth)])
    return prepared.tensor, true.picture


def _jaw_moved(view: View, rng: np.random.Generator) -> View:
    """The view as if its jaw had been lower half of the time: more of it, the neck too, has to be made."""
    landmarks = view.landmarks.copy()
    if rng.random() < 0.5:
        landmarks[list(FACE_OVAL), 1] += np.maximum(
            0, landmarks[list(FACE_OVAL), 1] - landmarks[UPPER_LIP_INNER, 1]
        ) * rng.uniform(0, 0.5)
    return View(view.picture, landmarks, view.outline)


def sampling_weights(people: list[Crops]) -> NDArray[np.float64]:
    """Chance of every person to be drawn: grows with the square root of the footage, so no one drowns the others."""
    weights = np.sqrt([float(len(p)) for p in people])
    return weights / weights.sum()
