"""Emotion on the face: brows, lids, cheeks, corners of the mouth and jaw, alive with the voice.

The lips say what the speech says; emotion acts on top, with few parameters for each label: a *face* (expression
coefficients at strength 1) and how much wider the mouth opens. What a face does to the gap between the lips counts only
as far as speech opens them, so that closed lips stay closed. All is linear in the shares of the labels: half the
strength is half the displacement, and a mixture lies in between.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from evp.audio.prosody import Prosody
from evp.clock import FRAME_RATE
from evp.emotion.space import NEUTRAL, EmotionSpace
from evp.emotion.track import EmotionTrack
from evp.errors import WeightsError
from evp.face.basis import FaceBasis
from evp.face.layouts import LIPS_INNER, LIPS_OUTER, MOUTH_CORNER_LEFT, MOUTH_CORNER_RIGHT
from evp.motion.facial import FacialMotion, Feeling
from evp.smoothing import no_faster, smooth_in_time, smooth_step, with_neighbours
from evp.weights import save_arrays, weights_file

FORMAT = 1

GAPS = ((13, 14), (82, 87), (312, 317), (81, 178), (311, 402))
"""Upper and lower inner lip, at five places: what must not part on m, b, p."""
_CLOSED, _OPEN = 0.008, 0.06
"""Opening (face heights) up to which an emotion does not part the lips, and from which it does so fully."""
WIDEST = 0.15
"""Opening (face heights) that no feeling passes."""
_WIDE = 0.6
"""Part of the widest opening from which a feeling opens the mouth ever less."""
_FASTEST = 0.06
"""Face heights by which the opening may change in a frame. Real lips need two frames or three to fly open."""
NEIGHBOURS = 2
"""Frames before and after that bear on how far a mouth may be open."""
_LIP_EMPHASIS = 4.0
_NEARLY = 1e-3
"""Ways of parting the lips that need more than a thousand times the movement of the easiest are left alone."""
_QUIET = -30.0
"""Loudness, in decibels, at which nobody speaks."""
_REST, _SPEAKING = 0.65, 0.4
"""Share of an emotion that stays on brows and lids while the voice rests, and what the loudest voice adds."""
_MOUTH_REST, _MOUTH_SPEAKING = 0.95, 0.06
"""The same for the mouth, whose width must keep to what is said."""
_ACCENT, _ACCENT_SEMITONES = 0.3, 6.0
"""What brows and lids add on a stressed, high syllable, and the height over the median pitch that counts fully."""
_ASYMMETRY = 0.08
"""How much one half of the face may lead the other."""
_SIDE = 0.25
"""Distance from the middle of the face (face heights) at which a half counts fully."""


@dataclass(frozen=True)
class Liveliness:
    """How emotion swells with the voice in F frames."""

    upper: NDArray[np.float64]
    """(F,) factor for brows and lids."""
    mouth: NDArray[np.float64]
    """(F,) factor for the mouth."""
    side: NDArray[np.float64]
    """(F,) how much the right half of the picture leads the left."""

    @staticmethod
    def of(voice: Prosody) -> "Liveliness":
        """Onset, apex and fade follow the loudness of phrases; brows also follow stressed syllables."""
        audible = np.clip(1 - voice.loudness / _QUIET, 0, 1).astype(np.float64)
        phrase = smooth_in_time(audible, 0.4 * FRAME_RATE)
        accent = smooth_in_time(audible * np.clip(voice.pitch / _ACCENT_SEMITONES, 0, 1), 0.12 * FRAME_RATE)
        seconds = np.arange(len(audible)) / FRAME_RATE
        side = np.sin(2 * np.pi * 0.13 * seconds) + np.sin(2 * np.pi * 0.31 * seconds + 1)
        upper = (_REST + _SPEAKING * phrase) * (1 + _ACCENT * accent)
        return Liveliness(upper, _MOUTH_REST + _MOUTH_SPEAKING * phrase, _ASYMMETRY / 2 * side)


@dataclass(frozen=True)
class ExpressionModel:
    """The faces of the labels, learned by :func:`evp.motion.faces.learn_faces`."""

    labels: tuple[str, ...]
    faces: NDArray[np.float32]
    """(L, M + U) expression coefficients at strength 1, relative to the neutral way of speaking."""
    openness: NDArray[np.float32]
    """(L,) how far the mouth opens, relative to the neutral way of speaking."""
    jaw: NDArray[np.float32]
    """(M,) coefficients of a mouth that speech has opened by one face height."""
    prior: NDArray[np.float32]
    """(L, M + U) what the faces were before any recording: facial action units on a head model."""
    basis: FaceBasis

    @staticmethod
    def load(path: Path | None = None) -> "ExpressionModel":
        """The packaged model, or the one in ``path``. Raises WeightsError when the file does not fit."""
        source = path or weights_file("evp.motion", "expression.npz")
        basis = FaceBasis.load()
        try:
            with np.load(source, allow_pickle=False) as stored:
                if int(stored["format"]) != FORMAT or stored["faces"].shape[1] != len(basis.components):
                    raise WeightsError(f"{source}: not the faces of emotions of this version")
                labels = tuple(str(label) for label in stored["labels"])
                faces, openness, jaw, prior = (stored[name] for name in ("faces", "openness", "jaw", "prior"))
                return ExpressionModel(labels, faces, openness, jaw, prior, basis)
        except (OSError, EOFError, BadZipFile, ValueError, KeyError) as error:
            raise WeightsError(f"{source}: not the faces of emotions ({error})") from error

    def save(self, path: Path) -> None:
        """Write as an archive of plain arrays."""
        save_arrays(
            path, format=FORMAT, labels=np.array(self.labels), faces=self.faces, openness=self.openness,
            jaw=self.jaw, prior=self.prior,
        )  # fmt: skip

    def act(
        self,
        mouths: Iterable[NDArray[np.floating]],
        track: EmotionTrack,
        space: EmotionSpace,
        voice: Prosody,
        mouth_feels: bool = True,
        first: int = 0,
        widest: float = WIDEST,
    ) -> Iterator[FacialMotion]:
        """Facial motion, frame by frame, of blocks (F, M) of mouth coefficients under an emotion.

        ``space`` tells what the codes of ``track`` mean; labels that have no face here count as neutral. ``voice`` has
        at least as many frames as the blocks together. Without ``mouth_feels`` the mouth is left to the blocks.
        The blocks begin at frame ``first`` of the film. No feeling opens lips farther than ``widest``, face heights.
        """
        lively = Liveliness.of(voice)
        for mouth, new in with_neighbours(mouths, NEIGHBOURS):
            span = slice(first - new.start, first - new.start + len(mouth))
            first += new.stop - new.start
            shares = space.shares(track.at(np.arange(span.start, span.stop) / FRAME_RATE))
            known = np.stack([self._column(space, shares, label) for label in self.labels], axis=1)
            added = self.displacement(
                known, mouth, lively.upper[span], lively.mouth[span] * mouth_feels, lively.side[span], widest
            )
            for row, move, strengths in zip(mouth[new], added[new], known[new], strict=True):
                felt = {label: float(s) for label, s in zip(self.labels, strengths, strict=True) if s > 0}
                yield FacialMotion(row, Feeling(move, felt) if felt else None)

    @staticmethod
    def _column(space: EmotionSpace, shares: NDArray[np.float64], label: str) -> NDArray[np.float64]:
        if label == NEUTRAL or label not in space.labels:
            return np.zeros(len(shares))
        return shares[:, space.labels.index(label)]

    def displacement(
        self,
        shares: NDArray[np.floating],
        mouth: NDArray[np.floating],
        upper_factor: NDArray[np.floating] | float = 1.0,
        mouth_factor: NDArray[np.floating] | float = 1.0,
        side: NDArray[np.floating] | float = 0.0,
        widest: float = WIDEST,
    ) -> NDArray[np.float32]:
        """What ``shares`` (F, L) of the labels add to a face speaking with ``mouth`` (F, M): (F, 478, 3), head frame.

        One frame follows the other: no feeling makes the mouth faster than mouths are.
        """
        count = self.basis.mouth_count
        frames = len(mouth)
        opening = np.clip(mouth @ self._gap_rows[0], 0, None)
        open_share = smooth_step(opening, _CLOSED, _OPEN)
        wanted = shares @ self.faces
        wider = (shares @ (self.openness - 1) * opening)[:, None] * (self.jaw @ self._parting)
        parting = wanted[:, :count] @ self._parting
        opened = open_share[:, None] * (parting + wider)
        room = self._room(opening, opened @ self._gap_rows[0], widest)
        opened *= (room * unhurried(opening, room * (opened @ self._gap_rows[0])))[:, None]
        lips = wanted[:, :count] - parting + opened
        whole = np.concatenate(
            [
                lips * np.broadcast_to(mouth_factor, frames)[:, None],
                wanted[:, count:] * np.broadcast_to(upper_factor, frames)[:, None],
            ],
            axis=1,
        )
        lead = 1 + np.broadcast_to(side, frames)[:, None] * self._sides
        return np.asarray(self.basis.displacement(whole) * lead[..., None], np.float32)

    @staticmethod
    def _room(
        opening: NDArray[np.floating], added: NDArray[np.floating], widest: float
    ) -> NDArray[np.floating]:
        """(F,) the share of what a feeling adds to an opening (F,), face heights, that a mouth has room for."""
        room = (1 - _WIDE) * widest
        beyond = np.maximum(opening + added - _WIDE * widest, 0)
        excess = np.minimum(beyond - room * np.tanh(beyond / room), np.maximum(added, 0))
        return 1 - excess / np.maximum(added, 1e-6)

    @cached_property
    def _sides(self) -> NDArray[np.float32]:
        return np.clip(self.basis.mean[:, 0] / _SIDE, -1, 1)

    @cached_property
    def _gap_rows(self) -> NDArray[np.float64]:
        """(gaps, M) how far a coefficient parts the lips, face heights."""
        return gap_rows(self.basis)

    @cached_property
    def _parting(self) -> NDArray[np.float64]:
        """(M, M) from mouth coefficients (rows) to what parts the lips as far, by the shortest way of equal width.

        As far down and in depth, to within a thousandth of the face: lips are closed when they touch, not when one
        hangs before the other.
        """
        mouth = self.basis.mouth.astype(np.float64)
        emphasis = np.ones(mouth.shape[1])
        emphasis[list(LIPS_OUTER + LIPS_INNER)] = _LIP_EMPHASIS
        metric = np.einsum("kpd,p,lpd->kl", mouth, emphasis, mouth)
        width = mouth[:, MOUTH_CORNER_RIGHT, 0] - mouth[:, MOUTH_CORNER_LEFT, 0]
        depth = np.stack([mouth[:, lower, 2] - mouth[:, upper, 2] for upper, lower in GAPS])
        apart = np.concatenate([self._gap_rows, depth])
        rows = np.concatenate([apart, width[None]])
        ways = np.linalg.solve(metric + 1e-3 * np.trace(metric) * np.eye(len(mouth)), rows.T)
        return np.asarray(apart.T @ np.linalg.pinv(rows @ ways, rcond=_NEARLY)[: len(apart)] @ ways.T)


def unhurried(opening: NDArray[np.floating], added: NDArray[np.floating]) -> NDArray[np.float64]:
    """(F,) the share of what is added to openings (F,), face heights, that a mouth is fast enough for.

    Lips that close stay closed; how far they open before and after gives way.
    """
    possible = no_faster(opening + added, _FASTEST, NEIGHBOURS) - opening
    return np.where(added > 0, np.clip(possible / np.maximum(added, 1e-6), 0, 1), 1.0)


def gap_rows(basis: FaceBasis) -> NDArray[np.float64]:
    """(gaps, M) how far a standard deviation of every mouth component parts the lips at ``GAPS``, face heights."""
    mouth = basis.mouth.astype(np.float64)
    return np.stack([mouth[:, lower, 1] - mouth[:, upper, 1] for upper, lower in GAPS])
