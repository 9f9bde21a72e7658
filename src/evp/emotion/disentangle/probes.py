"""How far content and emotion are apart: what small classifiers read in the codes, and what a mixture is like.

A probe is fitted on the codes of training speakers and tested on speakers whom nothing was trained on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evp.emotion.disentangle.dataset import Fours, Recording
from evp.emotion.disentangle.hearing import ContentEar
from evp.evaluation.recognition import average_recall, confusion
from evp.weights import Session

RIDGE = 0.1
"""Penalty of a probe's weights, as a share of what the average recording contributes."""

LOOKS = 4
"""Windows of a recording, evenly spread, from which a probe must read one at a time."""

Kernel = Literal["linear", "curved"]


@dataclass(frozen=True)
class Codes:
    """What a recording is written as."""

    emotion: NDArray[np.floating]
    """(E,)"""
    content: NDArray[np.floating]
    """(2 C,) mean and standard deviation over the windows: a sentence is what its windows are together."""
    windows: NDArray[np.floating]
    """(LOOKS, C) content of single windows."""
    phones: NDArray[np.floating]
    """(2 C,) mean and standard deviation over phones, each counting once, however long it is held."""


@dataclass(frozen=True)
class Leak:
    """Unweighted average recall of the probes, 0..1."""

    emotion_from_emotion: float
    """Ought to be high."""
    sentence_from_emotion: float
    """Ought to be no better than chance."""
    sentence_from_content: float
    """Ought to be high."""
    emotion_from_content: float
    """Ought to be no better than chance; but content follows time, and timing is a part of emotion."""
    emotion_from_phones: float
    """The same where every phone counts once, which takes timing out."""
    emotion_from_window: float
    """The same from a single window, which has no timing."""
    emotion_among_strangers: float
    """From content codes, by a probe fitted on the other unseen speakers, from whom nothing was hidden; NaN without."""


@dataclass(frozen=True)
class Errors:
    """Mean absolute difference from the true window, in MFCC units."""

    self: float
    """D(c1, e1) from x1: what coding alone costs."""
    cross: float
    """D(c1, e2) from x4: the sentence in an emotion that was heard in another sentence only."""
    unchanged: float
    """D(c1, e1) from x4: the same network, given the emotion that it was to leave."""
    source: float
    """x1 from x4: nothing is done."""
    mean: float
    """The mean window of the training speakers from x4."""


def encode(session: Session, recordings: Sequence[Recording]) -> list[Codes]:
    """Codes of whole recordings by exported weights (`evp.emotion.disentangle.train.export_disentangler`)."""
    codes = []
    for recording in recordings:
        both = {"says": heard(session, recording), "feels": recording.windows}
        content, emotion = session.inference.run(["content", "emotion"], both)
        codes.append(_codes(emotion, content, recording))
    return codes


def heard(session: Session, recording: Recording) -> NDArray[np.floating]:
    """The windows of a recording as the content encoder of exported weights hears them."""
    return ContentEar(**session.metadata["config"]["ear"]).windows(recording.rows, recording.frames)


def unlearned(recordings: Sequence[Recording]) -> list[Codes]:
    """What there is to be read before anything is learned: the windows themselves stand for both codes."""
    return [_in_both(recording.windows.reshape(recording.frames, -1), recording) for recording in recordings]


def transcribed(recordings: Sequence[Recording], names: Sequence[str]) -> list[Codes]:
    """What the phones alone tell, one of ``names`` in every frame, without any voice; they stand for both codes."""
    alphabet = np.array(names)
    return [
        _in_both((_named(recording)[:, None] == alphabet).astype(np.float32), recording)
        for recording in recordings
    ]


def _named(recording: Recording) -> NDArray[np.str_]:
    return np.array(recording.phones or [""] * recording.frames)


def _in_both(windows: NDArray[np.floating], recording: Recording) -> Codes:
    return _codes(pooled(windows), windows, recording)


def _codes(emotion: NDArray[np.floating], windows: NDArray[np.floating], recording: Recording) -> Codes:
    return Codes(emotion, pooled(windows), looks(windows), pooled(by_phone(windows, recording.phones)))


def by_phone(windows: NDArray[np.floating], phones: Sequence[str]) -> NDArray[np.floating]:
    """The mean of the windows (W, C) of every phone: (phones, C); the windows where phones are not known."""
    if not any(phones):
        return windows
    changes = np.flatnonzero([one != other for one, other in pairwise(phones)]) + 1
    runs = np.split(np.arange(len(phones)), changes)
    return np.stack([windows[run].mean(axis=0) for run in runs if phones[run[0]]])


def looks(windows: NDArray[np.floating]) -> NDArray[np.floating]:
    """LOOKS of the windows (W, C), evenly spread."""
    return windows[(np.arange(LOOKS) * 2 + 1) * len(windows) // (2 * LOOKS)]


def pooled(windows: NDArray[np.floating]) -> NDArray[np.floating]:
    """Mean and standard deviation over windows (W, C): (2 C,)."""
    return np.concatenate([windows.mean(axis=0), windows.std(axis=0)])


def leaks(
    train: Sequence[Recording],
    known: Sequence[Codes],
    test: Sequence[Recording],
    unknown: Sequence[Codes],
    kernel: Kernel = "linear",
) -> Leak:
    """What probes fitted on ``known``, the codes of ``train``, read in ``unknown``, the codes of ``test``."""

    def read(
        part: Literal["emotion", "content", "windows", "phones"], label: Callable[[Recording], str]
    ) -> float:
        codes, asked = ([np.atleast_2d(getattr(code, part)) for code in codes] for codes in (known, unknown))
        labels, true = (
            [label(recording) for recording in recordings for _ in range(len(examples[0]))]
            for recordings, examples in ((train, codes), (test, asked))
        )
        said = probe(np.concatenate(codes), labels, np.concatenate(asked), kernel)
        return average_recall(confusion(true, said, sorted({*true, *said})))

    return Leak(
        read("emotion", _emotion),
        read("emotion", _sentence),
        read("content", _sentence),
        read("content", _emotion),
        read("phones", _emotion),
        read("windows", _emotion),
        _among_strangers(test, unknown, kernel),
    )


def _among_strangers(test: Sequence[Recording], unknown: Sequence[Codes], kernel: Kernel) -> float:
    """Emotion from content where every speaker of ``test`` is read by what the others' codes are like."""
    true: list[str] = []
    said: list[str] = []
    speakers = sorted({recording.speaker for recording in test})
    if len(speakers) < 2:
        return float("nan")
    for speaker in speakers:
        own = np.array([recording.speaker == speaker for recording in test])
        codes, labels = np.stack([code.content for code in unknown]), np.array([_emotion(r) for r in test])
        said += probe(codes[~own], labels[~own].tolist(), codes[own], kernel)
        true += labels[own].tolist()
    return average_recall(confusion(true, said, sorted({*true, *said})))


def chance(test: Sequence[Recording]) -> Leak:
    """What guessing gives."""
    emotion, sentence = (1 / len({label(recording) for recording in test}) for label in (_emotion, _sentence))
    return Leak(emotion, sentence, sentence, *[emotion] * 4)


def probe(
    codes: NDArray[np.floating],
    labels: Sequence[str],
    unknown: NDArray[np.floating],
    kernel: Kernel = "linear",
) -> list[str]:
    """The labels that a ridge classifier fitted on ``codes`` (N, D) gives to ``unknown`` (M, D).

    Least squares on one column for each class, every class counting alike; ``linear`` in the standardised codes, or
    ``curved`` by Gaussian kernels as wide as the codes lie apart.
    """
    classes = sorted(set(labels))
    mean, spread = codes.mean(axis=0), codes.std(axis=0) + 1e-6
    known, asked = (codes - mean) / spread, (unknown - mean) / spread
    member = np.array(labels)[:, None] == np.array(classes)
    share = (member / member.sum(axis=0)).sum(axis=1) * len(labels) / len(classes)
    likeness = _likeness(known, known, kernel)
    penalty = RIDGE * np.trace(likeness) / len(likeness) * np.diag(1 / share)
    weights = np.linalg.solve(likeness + penalty, member - 1 / len(classes))
    return [classes[best] for best in (_likeness(asked, known, kernel) @ weights).argmax(axis=1)]


def errors(
    session: Session, train: Sequence[Recording], test: Sequence[Recording], count: int = 200, seed: int = 0
) -> Errors:
    """Reconstruction of ``count`` fours of the recordings ``test``, whole sentences."""
    fours, random = Fours(test), np.random.default_rng(seed)
    mean = np.concatenate([recording.windows for recording in train]).mean(axis=0)
    sums = np.zeros(5)
    for _ in range(count):
        four = fours.draw(random)
        x1, x4 = four.x1.windows, four.aligned.windows
        own, other = (
            session.run(says=heard(session, four.x1), feels=x.windows)[2] for x in (four.x2, four.x3)
        )
        pairs = (own, x1), (other, x4), (own, x4), (x1, x4), (mean, x4)
        sums += [np.abs(made - true).mean() for made, true in pairs]
    return Errors(*(sums / count).tolist())


def _emotion(recording: Recording) -> str:
    return recording.manner.emotion


def _sentence(recording: Recording) -> str:
    return recording.sentence


def _likeness(a: NDArray[np.floating], b: NDArray[np.floating], kernel: Kernel) -> NDArray[np.floating]:
    """(N, D), (M, D) -> (N, M)."""
    product = a @ b.T / a.shape[1]
    if kernel == "linear":
        return product + 1
    lengths = (a**2).mean(axis=1)[:, None] + (b**2).mean(axis=1)
    return np.exp(product - lengths / 2)
