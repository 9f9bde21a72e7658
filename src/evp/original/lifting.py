"""Lifts the original's 2-D landmarks onto the built-in 3-D face: the expression that a portrait performs."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from evp.clock import frames_for_samples
from evp.face.basis import FaceBasis
from evp.original.alignment import lay_upon
from evp.original.faces import LinearFace
from evp.original.fitting import fit_face
from evp.original.landmarks import NEUTRAL, OriginalMotion

_CLOSED_SHARE = 0.1
"""The share of frames, those with the most closed mouth, that show the face at rest."""
_LIP_TOP, _LIP_BOTTOM = 98, 102
"""Middle of the inner lips."""


def motion_from_speech(
    speech: NDArray[np.floating], motion: OriginalMotion, emotion: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Expression coefficients (frames, M + U), 25 a second, of an imported network for speech (samples,), 16 kHz mono.

    ``emotion`` is a code (128,) or codes (N, 128), one a frame. The person's face at rest is told from the same speech
    said neutrally, if that emotion was imported, so that a smile stays an expression. There is a frame for every 1/25 s
    of sound: the last landmarks hold. Raises InputError when the sound is too short.
    """
    landmarks = motion.predict(speech, emotion)
    neutral = motion.predict(speech, motion.features[NEUTRAL]) if NEUTRAL in motion.features else landmarks
    lifted = motion_from_landmarks(landmarks, rest_face(neutral))
    return np.pad(lifted, ((0, frames_for_samples(len(speech)) - len(lifted)), (0, 0)), mode="edge")


def rest_face(landmarks: NDArray[np.floating]) -> NDArray[np.float64]:
    """One person's face at rest (106, 2): the median of the tenth of frames (T, 106, 2) with the most closed mouth."""
    still = lay_upon(landmarks, np.broadcast_to(landmarks.mean(axis=0), landmarks.shape))
    opening = np.linalg.norm(still[:, _LIP_BOTTOM] - still[:, _LIP_TOP], axis=1)
    return np.median(still[opening <= np.quantile(opening, _CLOSED_SHARE)], axis=0)


def motion_from_landmarks(
    landmarks: NDArray[np.floating], rest: NDArray[np.floating] | None = None
) -> NDArray[np.float32]:
    """Expression coefficients (T, M + U) of one person's landmarks (T, 106, 2), x right, y down, any unit.

    As in the paper, a 3-D face is fitted to every frame: pose and expression, by the energy of
    :mod:`evp.original.fitting`. The built-in face knows no identities, so what the pose leaves over of the face at
    ``rest`` (106, 2) is taken for the person; without it, :func:`rest_face` of these landmarks. Raises InputError when
    they are not 106 points.
    """
    face = LinearFace.of_basis(FaceBasis.load(), "evp106")
    stiff = replace(face, expression=face.expression[:0])
    rest = rest_face(landmarks) if rest is None else rest
    pose = fit_face(stiff, rest[None]).pose
    left = rest - pose.project(face.mean[None])[0, :, :2]
    person = np.pad(left / pose.scale, ((0, 0), (0, 1))) @ pose.rotation[0]
    return fit_face(replace(face, mean=face.mean + person), landmarks).expression.astype(np.float32)
