"""Emotional recordings -> the faces of the labels.

For every person and label: the mean expression, minus that person's mean expression in neutral speech. What is common
to the people, and to a prior made of facial action units, becomes the face of the label.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evp.corpora.manifest import Manifest
from evp.emotion.space import NEUTRAL
from evp.errors import InputError
from evp.face.basis import FaceBasis
from evp.face.layouts import LIDS_LEFT, LIDS_RIGHT
from evp.motion.expression import GAPS, ExpressionModel, gap_rows

LIDS = (LIDS_LEFT, LIDS_RIGHT)
LIPS = ((0, 13), (37, 82), (267, 312), (14, 17), (87, 84), (317, 314))
"""Upper and lower edge of the upper and of the lower lip."""


@dataclass(frozen=True)
class FacesConfig:
    """How the faces of the labels are learned."""

    prior_people: float = 1.0
    """How many people the prior counts for."""
    mouth_exaggeration: float = 1.45
    """How much stronger than people's mean the lower face is made: what they do not share has been averaged away."""
    upper_exaggeration: float = 1.9
    """The same for brows and lids, whose movements are small and seen from far away."""
    least_lids: float = 0.72
    """Eyes are never narrowed to less than this part of their neutral opening."""
    least_lips: float = 0.8
    """Lips are never thinned to less than this part of their neutral height."""
    most_openness: float = 1.7
    """Most that an emotion may widen the opening of the mouth."""


@dataclass(frozen=True)
class _Spoken:
    """What one person does when speaking in one emotion."""

    expression: NDArray[np.float64]
    """(M + U,) mean coefficients."""
    opening: float
    """Mean opening of the mouth, face heights."""


def learn_faces(corpus: Path, prior: ExpressionModel, config: FacesConfig | None = None) -> ExpressionModel:
    """The faces of the labels in a prepared ``corpus`` with emotions; labels it has not are those of the ``prior``.

    Every person needs a neutral recording. Raises InputError when nobody has one and an emotional one.
    """
    config = config or FacesConfig()
    basis = prior.basis
    people = _measure(corpus, basis)
    if not any(label != NEUTRAL and (person, NEUTRAL) in people for person, label in people):
        raise InputError(f"{corpus}: nobody is there both in neutral speech and in an emotion")
    labels = tuple(dict.fromkeys(prior.labels + tuple(sorted({label for _, label in people} - {NEUTRAL}))))
    count = basis.mouth_count
    size = np.sqrt((basis.components.astype(np.float64) ** 2).sum(axis=2).mean(axis=1))
    faces, openness = np.zeros((len(labels), len(size))), np.ones(len(labels))
    before = np.zeros_like(faces)
    before[: len(prior.labels)] = prior.prior
    for row, label in enumerate(labels):
        pairs = [
            (spoken, people[person, NEUTRAL])
            for (person, felt), spoken in people.items()
            if felt == label != NEUTRAL and (person, NEUTRAL) in people
        ]
        changes = [felt.expression - calm.expression for felt, calm in pairs]
        for block, exaggeration in (
            (slice(0, count), config.mouth_exaggeration),
            (slice(count, None), config.upper_exaggeration),
        ):
            parts = [change[block] for change in changes]
            faces[row, block] = _common(
                parts, before[row, block], size[block], config.prior_people, exaggeration
            )
        if changes:
            ratio = float(np.mean([felt.opening / calm.opening for felt, calm in pairs]))
            openness[row] = np.clip(ratio, 1 / config.most_openness, config.most_openness)
        room = dict.fromkeys(LIPS, config.least_lips) | dict.fromkeys(GAPS, 1.0)
        faces[row, :count] = _with_room(basis.mean, basis.mouth, faces[row, :count], room)
        room = dict.fromkeys(LIDS, config.least_lids)
        faces[row, count:] = _with_room(basis.mean, basis.upper, faces[row, count:], room)
    return ExpressionModel(
        labels, faces.astype(np.float32), openness.astype(np.float32), _jaw(corpus, basis),
        before.astype(np.float32), basis,
    )  # fmt: skip


def _common(
    changes: list[NDArray[np.float64]],
    prior: NDArray[np.float64],
    size: NDArray[np.float64],
    weight: float,
    exaggeration: float,
) -> NDArray[np.float64]:
    """What the people and the prior, of this ``weight``, agree on; the more they do, the nearer to the exaggerated mean
    length of the people's faces.
    """

    def length(face: NDArray[np.float64]) -> float:
        return float(np.linalg.norm(face * size)) + 1e-9

    if not changes:
        return prior
    direction = sum(change / length(change) for change in changes) + weight * prior / length(prior)
    agreement = length(direction) / (len(changes) + weight)
    longer = 1 + (exaggeration - 1) * agreement
    return np.asarray(
        direction / length(direction) * longer * np.mean([length(change) for change in changes])
    )


def _with_room(
    mean: NDArray[np.float32],
    components: NDArray[np.float32],
    face: NDArray[np.float64],
    room: Mapping[tuple[int, int], float],
) -> NDArray[np.float64]:
    """Nearly the same ``face``, but points (upper, lower) keep at least their share in ``room`` of their distance."""
    moves = components.astype(np.float64)
    rows = np.stack([moves[:, low, 1] - moves[:, high, 1] for high, low in room])
    least = np.array([(share - 1) * (mean[low, 1] - mean[high, 1]) for (high, low), share in room.items()])
    ways = np.linalg.solve(np.einsum("kpd,lpd->kl", moves, moves), rows.T)
    missing, reach, force = least - rows @ face, rows @ ways, np.zeros(len(rows))
    for _ in range(500):  # Hildreth 1957: the nearest face that keeps every distance
        for n in range(len(rows)):
            force[n] = max(0.0, force[n] + (missing[n] - reach[n] @ force) / reach[n, n])
    return np.asarray(face + ways @ force)


def _measure(corpus: Path, basis: FaceBasis) -> dict[tuple[str, str], _Spoken]:
    """What every person does in every emotion, the influence of the head's turn removed."""
    clips = [clip for clip in Manifest.read(corpus).clips if clip.filmed]
    angles, expressions, openings = (defaultdict[tuple[str, str], list[NDArray]](list) for _ in range(3))
    for clip in clips:
        if clip.emotion is None:
            continue
        with np.load(corpus / clip.file) as stored:
            valid, key = stored["valid"], (clip.speaker, clip.emotion)
            angles[key].append(stored["angles"][valid])
            expressions[key].append(stored["coefficients"][valid])
            openings[key].append(stored["opening"][valid])
    found: dict[tuple[str, str], _Spoken] = {}
    for key in expressions:
        whole = basis.unturned(np.concatenate(expressions[key]), np.concatenate(angles[key]))
        found[key] = _Spoken(whole.mean(axis=0), float(np.concatenate(openings[key]).mean()))
    return found


def _jaw(corpus: Path, basis: FaceBasis) -> NDArray[np.float32]:
    """(M,) mouth coefficients for one face height of opening, by regression in neutral speech."""
    rows = gap_rows(basis)[0]
    both, square = np.zeros(basis.mouth_count), 0.0
    for clip in Manifest.read(corpus).clips:
        if clip.filmed and clip.emotion in (None, NEUTRAL):
            with np.load(corpus / clip.file) as stored:
                mouth = stored["coefficients"][stored["valid"]][:, : basis.mouth_count].astype(np.float64)
            opening = mouth @ rows
            both += (opening - opening.mean()) @ (mouth - mouth.mean(axis=0))
            square += float(((opening - opening.mean()) ** 2).sum())
    return (both / square).astype(np.float32)
