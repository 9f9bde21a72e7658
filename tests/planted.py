"""Made-up recordings whose content and emotion are known factors: a sentence is a melody, an emotion a shift."""

from collections.abc import Sequence

import numpy as np

from evp.clock import PADDING_ROWS, ROWS_PER_FRAME
from evp.emotion.disentangle.dataset import Manner, Recording

EMOTIONS = ("angry", "calm", "sad")


def recording(
    speaker: str, sentence: str, emotion: str, intensity: int | None = None, frames: int = 12, seed: int = 0
) -> Recording:
    """The melody of the sentence plus the offset of the emotion, in a timing of its own; the voice hardly matters."""
    said, felt = (
        np.random.default_rng([ord(letter) for letter in word]) for word in ("s" + sentence, "e" + emotion)
    )
    own = np.random.default_rng((seed, *(ord(letter) for letter in speaker + sentence + emotion)))
    melody = 20 * said.choice([-1, 1], size=(3, 12))
    count = frames * ROWS_PER_FRAME
    times = np.sort(own.uniform(0, len(melody), count))
    rows = melody[times.astype(int)] + 15 * felt.choice([-1, 1], size=12) + own.standard_normal((count, 12))
    padded = np.pad(rows, ((PADDING_ROWS, PADDING_ROWS), (0, 0))).astype(np.float32)
    return Recording(speaker, sentence, Manner(emotion, intensity), padded, frames)


def recordings(
    speakers: Sequence[str], sentences: Sequence[str] = ("dogs", "kids"), emotions: Sequence[str] = EMOTIONS
) -> list[Recording]:
    """Every sentence in every emotion by every speaker."""
    return [
        recording(speaker, sentence, emotion)
        for speaker in speakers
        for sentence in sentences
        for emotion in emotions
    ]
