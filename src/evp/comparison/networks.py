"""Networks of others that some figures need: ONNX files that the user gives, known by their checksum, never fetched.

What they are given and what is expected back (any names, this order):

Inception (FID)
    in: pictures (B, 3, 299, 299) float32, RGB, -1..1. Out: features (B, D), D = 2048 for the usual ``pool3``.
SyncNet (LSE-C, LSE-D)
    in: five consecutive faces (B, 3, 5, 224, 224) float32, BGR, 0..255, and their sound (B, 1, 13, 20) float32: 20 rows
    of 13 cepstral coefficients at 100 Hz of samples on the scale of 16-bit numbers, the first one the logarithm of the
    energy. Out: a code of the faces (B, D) and a code of the sound (B, D).
Identity
    in: faces (B, 3, 112, 112) float32, RGB, -1..1, eyes, nose and mouth corners where ArcFace has them.
    Out: codes (B, D).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from evp.audio.mfcc import FFT_SIZE, FRAME_SAMPLES, PREEMPHASIS, mfcc_rows
from evp.clock import ROWS_PER_FRAME, SAMPLES_PER_ROW
from evp.comparison.films import Look
from evp.errors import WeightsError
from evp.face.layouts import (
    EYE_INNER_LEFT,
    EYE_INNER_RIGHT,
    EYE_OUTER_LEFT,
    EYE_OUTER_RIGHT,
    MOUTH_CORNER_LEFT,
    MOUTH_CORNER_RIGHT,
)

SYNC_FRAMES = 5
SYNC_REACH = 15
"""Frames by which sound and picture are moved against each other, as the SyncNet evaluation does."""
_INCEPTION_PIXELS, _SYNC_PIXELS, _IDENTITY_PIXELS = 299, 224, 112
_NOSE_TIP = 1
_ARCFACE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
"""Middle of the left and right eye of the picture, tip of the nose, mouth corners, in pixels of 112."""
_INT16 = 32768.0


@dataclass(frozen=True)
class Network:
    """A network, and the checksum that says which one it is."""

    path: Path
    sha256: str
    inference: onnxruntime.InferenceSession

    @staticmethod
    def load(path: Path, checksums: Sequence[str], inputs: int, outputs: int) -> "Network":
        """The ONNX file at ``path``, whose SHA-256 must be one of ``checksums``. Raises WeightsError."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise WeightsError(f"cannot read the weights {path}: {error.strerror}") from error
        found = hashlib.sha256(content).hexdigest()
        if found not in [checksum.lower() for checksum in checksums]:
            raise WeightsError(
                f"{path} is not a network that was asked for: if it is the right one, say --sha256 {found}"
            )
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        try:
            inference = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own exceptions share no narrower base class
            raise WeightsError(f"{path} is not an ONNX network that can run here") from error
        counts = len(inference.get_inputs()), len(inference.get_outputs())
        if counts != (inputs, outputs):
            raise WeightsError(
                f"{path} has {counts[0]} inputs and {counts[1]} outputs, {inputs} and {outputs} are needed: "
                "see evp.comparison.networks"
            )
        return Network(path, found, inference)

    def run(self, *inputs: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """The outputs, each (B, D), for inputs in order. Raises WeightsError when the network does not take them."""
        names = [one.name for one in self.inference.get_inputs()]
        try:
            outputs = self.inference.run(None, dict(zip(names, inputs, strict=True)))
        except Exception as error:  # as above
            line = " ".join(str(error).split())
            raise WeightsError(f"{self.path} does not take what it is given: {line[:200]}") from error
        return [np.asarray(output, np.float32).reshape(len(inputs[0]), -1) for output in outputs]


@dataclass(frozen=True)
class Networks:
    """Those that were given."""

    inception: Network | None = None
    syncnet: Network | None = None
    identity: Network | None = None

    @staticmethod
    def load(
        inception: Path | None, syncnet: Path | None, identity: Path | None, checksums: Sequence[str]
    ) -> "Networks":
        """Raises WeightsError when one of them is not there, does not fit, or its checksum is not among those given."""
        return Networks(
            None if inception is None else Network.load(inception, checksums, 1, 1),
            None if syncnet is None else Network.load(syncnet, checksums, 2, 2),
            None if identity is None else Network.load(identity, checksums, 1, 1),
        )


class Codes:
    """What the networks say about a film, collected frame by frame."""

    def __init__(self, networks: Networks, frames: int, waveform: NDArray[np.floating] | None) -> None:
        """For a film of so many frames and its sound."""
        self._networks = networks
        self.features: list[NDArray[np.float32]] = []
        """Of Inception, (B, D) each."""
        self.identities: dict[int, NDArray[np.float32]] = {}
        """Frame -> code (D,) of length 1."""
        self._rows = None if waveform is None else sync_rows(waveform, frames)
        self._recent: list[NDArray[np.uint8]] = []
        self._pictures: list[NDArray[np.float32]] = []
        self._sounds: list[NDArray[np.float32]] = []

    def add(self, number: int, look: Look | None) -> None:
        """The next frame."""
        if look is None:
            self._recent = []
            return
        if self._networks.inception is not None:
            picture = cv2.resize(look.crop, (_INCEPTION_PIXELS,) * 2, interpolation=cv2.INTER_LINEAR)
            self.features += self._networks.inception.run(_planes(picture / 127.5 - 1)[None])
        if self._networks.identity is not None:
            [code] = self._networks.identity.run(_planes(arcface_crop(look) / 127.5 - 1)[None])
            self.identities[number] = code[0] / max(float(np.linalg.norm(code[0])), 1e-12)
        if self._networks.syncnet is not None and self._rows is not None:
            face = cv2.resize(look.crop, (_SYNC_PIXELS,) * 2, interpolation=cv2.INTER_AREA)
            self._recent = [*self._recent[-(SYNC_FRAMES - 1) :], face]
            if len(self._recent) == SYNC_FRAMES:
                self._five(number - SYNC_FRAMES + 1)

    def synchrony(self) -> tuple[float, float]:
        """LSE-C and LSE-D; NaN without the network or the sound, and when the film is too short."""
        if len(self._pictures) < 2:
            return float("nan"), float("nan")
        return lip_sync_errors(np.concatenate(self._pictures), np.concatenate(self._sounds))

    def _five(self, first: int) -> None:
        assert self._networks.syncnet is not None and self._rows is not None
        rows = self._rows[ROWS_PER_FRAME * first : ROWS_PER_FRAME * (first + SYNC_FRAMES)]
        seen, heard = self._networks.syncnet.run(sync_faces(self._recent)[None], rows.T[None, None])
        self._pictures.append(seen)
        self._sounds.append(heard)


def sync_faces(faces: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """Five faces (H, W, 3) RGB as SyncNet takes them: (3, 5, H, W), BGR, 0..255."""
    return np.stack([face[..., ::-1] for face in faces]).astype(np.float32).transpose(3, 0, 1, 2)


def sync_rows(waveform: NDArray[np.floating], frames: int) -> NDArray[np.float32]:
    """The sound as SyncNet hears it, four rows for every frame: (rows, 13)."""
    count = ROWS_PER_FRAME * frames
    samples = np.asarray(waveform[: count * SAMPLES_PER_ROW], np.float64)
    padded = (
        np.pad(samples, (1, max(0, (count - 1) * SAMPLES_PER_ROW + FRAME_SAMPLES - len(samples)))) * _INT16
    )
    emphasised = padded[1:] - PREEMPHASIS * padded[:-1]
    windows = np.lib.stride_tricks.sliding_window_view(emphasised, FRAME_SAMPLES)[::SAMPLES_PER_ROW][:count]
    power = np.abs(np.fft.rfft(windows, FFT_SIZE)) ** 2 / FFT_SIZE
    energy = np.log(np.maximum(power.sum(axis=1), np.finfo(float).eps))
    return np.column_stack([energy, mfcc_rows(samples, 0, count)]).astype(np.float32)


def lip_sync_errors(
    pictures: NDArray[np.floating], sounds: NDArray[np.floating], reach: int = SYNC_REACH
) -> tuple[float, float]:
    """LSE-C and LSE-D of codes (N, D) of pictures and sounds: how clear the best shift is, and the distance there.

    For every shift the distances are averaged over the film; D is the least mean, C the median mean less the least.
    """
    reach = min(reach, len(sounds) - 1)
    apart = np.full((len(pictures), 2 * reach + 1), np.nan)
    for column, shift in enumerate(range(-reach, reach + 1)):
        numbers = np.arange(len(pictures)) + shift
        inside = (numbers >= 0) & (numbers < len(sounds))
        apart[inside, column] = np.linalg.norm(pictures[inside] - sounds[numbers[inside]], axis=1)
    means = np.nanmean(apart, axis=0)
    return float(np.median(means) - means.min()), float(means.min())


def arcface_crop(look: Look) -> NDArray[np.uint8]:
    """The face of a frame as ArcFace wants it: (112, 112, 3) RGB."""
    points = look.crop_landmarks.astype(np.float64)
    eyes = [
        points[[EYE_OUTER_LEFT, EYE_INNER_LEFT]].mean(0),
        points[[EYE_INNER_RIGHT, EYE_OUTER_RIGHT]].mean(0),
    ]
    found = np.stack([*eyes, points[_NOSE_TIP], points[MOUTH_CORNER_LEFT], points[MOUTH_CORNER_RIGHT]])
    warp = flat_similarity(found, _ARCFACE)
    crop = cv2.warpAffine(look.crop, warp, (_IDENTITY_PIXELS,) * 2, flags=cv2.INTER_LINEAR)
    return np.asarray(crop, np.uint8)


def flat_similarity(source: NDArray[np.floating], target: NDArray[np.floating]) -> NDArray[np.float64]:
    """(2, 3): the turn, scale and shift that bring points (P, 2) nearest to others (least squares)."""
    a, b = (points - points.mean(axis=0) for points in (source, target))
    along, across = (a * b).sum(), (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()
    turn = np.array([[along, -across], [across, along]]) / (a**2).sum()
    return np.column_stack([turn, target.mean(axis=0) - turn @ source.mean(axis=0)])


def _planes(picture: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32)
