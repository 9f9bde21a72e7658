"""Emotional recordings -> the faces of the labels.

For every person and label: the mean expression, minus that person's mean expression in neutral speech. What is common
to the people, and to a prior made of facial action units, becomes the face of the label.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evp.corpora.archives import open_archive
from evp.corpora.manifest import Manifest
from evp.emotion.space import NEUTRAL
from evp.errors import InputError
from evp.face.basis import FaceBasis
from evp.face.layouts import (
    LIDS_LEFT,
    LIDS_RIGHT,
    LOWER_LIP_INNER,
    MOUTH_CORNER_LEFT,
    MOUTH_CORNER_RIGHT,
    UPPER_LIP_INNER,
)
from evp.motion.expression import GAPS, ExpressionModel, gap_rows

LIDS = (LIDS_LEFT, LIDS_RIGHT)
BROWS_TO_LIDS = ((52, 159), (65, 158), (282, 386), (295, 385))
"""Points of the brows' lower edges, and of the upper lids below."""
LIPS = ((0, 13), (37, 82), (267, 312), (14, 17), (87, 84), (317, 314))
"""Upper and lower edge of the upper and of the lower lip."""
AROUND_LIPS = (
    (61, 43), (146, 43), (91, 43), (91, 106), (181, 182), (84, 83), (17, 18), (314, 313), (405, 406), (321, 335),
    (321, 273), (375, 273), (291, 273), (185, 186), (40, 92), (39, 165), (37, 167), (0, 164), (267, 393), (269, 391),
    (270, 322), (409, 410), (61, 57), (291, 287),
)  # fmt: skip
"""Points of the lips' outer edge, and of the skin beside."""


WHOLE_MOUTH = (UPPER_LIP_INNER, LOWER_LIP_INNER, MOUTH_CORNER_LEFT, MOUTH_CORNER_RIGHT)
BROWS = (107, 336, 105, 334)
"""Points on the inner half of both brows."""


@dataclass(frozen=True)
class TakenFor:
    """A label that is taken for another one: so much of the other's face, of its own size, is taken away from it."""

    label: str
    other: str
    lower: float = 0.0
    upper: float = 0.0
    upper_size: float = 1.0
    """What becomes of the size of brows and lids."""


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
    least_brows: float = 0.48
    """Brows never come nearer to the lids than this part of their neutral distance."""
    least_lips: float = 0.8
    """Lips are never thinned to less than this part of their neutral height."""
    least_skin: float = 0.75
    """Skin around the lips is never pressed together to less than this part of its width: it would fold over."""
    most_raised: float = 0.045
    """Brows are never raised farther, face heights: what is stretched below them smears."""
    most_sideways: float = 0.02
    """The mouth as a whole is never pulled farther to a side, face heights: its corners may be."""
    most_openness: float = 1.7
    """Most that an emotion may widen the opening of the mouth."""
    taken_for: tuple["TakenFor", ...] = (
        TakenFor("fear", "surprised", lower=0.35, upper=0.6),
        TakenFor("fear", "happy", lower=0.1),
        TakenFor("disgusted", "angry", lower=0.3, upper=0.5, upper_size=0.6),
    )
    """What people who look at the faces take for each other."""
    prior_exaggeration: float = 1.5
    """How much stronger a face is made that only the prior has."""


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
        else:
            faces[row] *= config.prior_exaggeration
    faces = _told_apart(faces * size, labels, count, config.taken_for) / size
    lips = dict.fromkeys(LIPS, config.least_lips) | dict.fromkeys(GAPS, 1.0)
    mouth = _Bounds.room(
        basis.mean, basis.mouth, lips | dict.fromkeys(AROUND_LIPS, config.least_skin)
    ).and_at_least(
        *((side * basis.mouth[:, WHOLE_MOUTH, 0].mean(axis=1), -config.most_sideways) for side in (1, -1))
    )
    eyes = dict.fromkeys(LIDS, config.least_lids) | dict.fromkeys(BROWS_TO_LIDS, config.least_brows)
    upper = _Bounds.room(basis.mean, basis.upper, eyes).and_at_least(
        (basis.upper[:, BROWS, 1].mean(axis=1), -config.most_raised)
    )
    for face in faces:
        face[:count], face[count:] = mouth.nearest(face[:count]), upper.nearest(face[count:])
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


def _told_apart(
    faces: NDArray[np.float64], labels: tuple[str, ...], count: int, taken_for: Sequence[TakenFor]
) -> NDArray[np.float64]:
    """Faces (L, M + U) that are less like what they are taken for; ``count`` is M. They keep their size."""
    apart = faces.copy()
    for pair in taken_for:
        if not {pair.label, pair.other} <= set(labels):
            continue
        row, other = labels.index(pair.label), labels.index(pair.other)
        blocks = ((slice(0, count), pair.lower, 1.0), (slice(count, None), pair.upper, pair.upper_size))
        for block, share, size in blocks:
            length = np.linalg.norm(apart[row, block])
            way = apart[row, block] / (length + 1e-9) - share * _unit(faces[other, block])
            apart[row, block] = size * length * _unit(way)
    return apart


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(vector / (np.linalg.norm(vector) + 1e-9))


@dataclass(frozen=True)
class _Bounds:
    """Linear bounds on the K coefficients of one half of the face."""

    components: NDArray[np.float64]
    """(K, 478, 3)."""
    rows: NDArray[np.float64]
    """(B, K)."""
    least: NDArray[np.float64]
    """(B,) ``rows @ face`` is at least this."""

    @staticmethod
    def room(
        mean: NDArray[np.float32], components: NDArray[np.float32], room: Mapping[tuple[int, int], float]
    ) -> "_Bounds":
        """Pairs of points keep at least their share in ``room`` of their distance.

        That is measured along the line between them in the neutral face, for lids and lips straight down.
        """
        moves = components.astype(np.float64)
        one, other = np.array(list(room)).T
        apart = (mean[other] - mean[one]).astype(np.float64)
        way = apart / np.linalg.norm(apart, axis=1, keepdims=True)
        way[[pair not in AROUND_LIPS for pair in room]] = 0, 1, 0
        rows = np.einsum("kpd,pd->pk", moves[:, other] - moves[:, one], way)
        return _Bounds(moves, rows, (np.array(list(room.values())) - 1) * (apart * way).sum(axis=1))

    def and_at_least(self, *more: tuple[NDArray[np.floating], float]) -> "_Bounds":
        """With further bounds: rows (K,), and what they are at least."""
        rows, least = zip(*more, strict=True)
        return replace(self, rows=np.vstack([self.rows, *rows]), least=np.append(self.least, least))

    def nearest(self, face: NDArray[np.float64]) -> NDArray[np.float64]:
        """The nearest face (K,) within the bounds, in the metric of the vertices."""
        moves = self.components
        ways = np.linalg.solve(np.einsum("kpd,lpd->kl", moves, moves), self.rows.T)
        missing, reach, force = self.least - self.rows @ face, self.rows @ ways, np.zeros(len(self.rows))
        for _ in range(500):  # Hildreth 1957: the nearest face that keeps every bound
            for n in range(len(force)):
                force[n] = max(0.0, force[n] + (missing[n] - reach[n] @ force) / reach[n, n])
        return np.asarray(face + ways @ force)


def _measure(corpus: Path, basis: FaceBasis) -> dict[tuple[str, str], _Spoken]:
    """What every person does in every emotion, the influence of the head's turn removed."""
    clips = [clip for clip in Manifest.read(corpus).clips if clip.filmed and clip.split == "train"]
    angles, expressions, openings = (defaultdict[tuple[str, str], list[NDArray]](list) for _ in range(3))
    for clip in clips:
        if clip.emotion is None:
            continue
        with open_archive(corpus / clip.file) as stored:
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
        if clip.filmed and clip.split == "train" and clip.emotion in (None, NEUTRAL):
            with open_archive(corpus / clip.file) as stored:
                mouth = stored["coefficients"][stored["valid"]][:, : basis.mouth_count].astype(np.float64)
            opening = mouth @ rows
            both += (opening - opening.mean()) @ (mouth - mouth.mean(axis=0))
            square += float(((opening - opening.mean()) ** 2).sum())
    return (both / square).astype(np.float32)
