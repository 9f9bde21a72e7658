"""Hears emotion in a recording: what the trained networks say about every window of it, and about the whole."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evp.audio.loudness import Loudness, measure
from evp.emotion.windows import Ear, ear_for
from evp.errors import InputError, WeightsError
from evp.weights import Session, load_session, weights_file

FORMAT = 1
BLOCK_WINDOWS = 32
"""Windows that are heard at once, so that memory does not grow with the length of the sound."""


@dataclass(frozen=True)
class Heard:
    """The emotion in a recording, window by window; N windows, L labels."""

    times: NDArray[np.float64]
    """(N,) seconds: the middle of every window."""
    codes: NDArray[np.float32]
    """(N, 128) emotion codes, not negative."""
    probabilities: NDArray[np.float32]
    """(N, L) of the model's labels, in their order; they sum to 1."""
    voiced: NDArray[np.bool_]
    """(N,) there is voice in the middle of the window; elsewhere codes and probabilities mean nothing."""

    @property
    def code(self) -> NDArray[np.float32]:
        """(128,) the mean code of the voiced windows. Raises InputError when there are none."""
        return self._voiced(self.codes).mean(axis=0)

    @property
    def whole(self) -> NDArray[np.float32]:
        """(L,) probabilities for the recording, those of its mean code. Raises InputError when there is no voice in it.

        The classifier is linear: its answer to the mean code is the normalised geometric mean of its answers.
        """
        scores = np.log(self._voiced(self.probabilities).clip(min=1e-30)).mean(axis=0)
        return softmax(scores[None])[0]

    def _voiced(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        if not self.voiced.any():
            raise InputError("the recording has no voice in it")
        return values[self.voiced]


@dataclass(frozen=True)
class EmotionModel:
    """From sound to emotion codes and probabilities of emotions, for any voice."""

    session: Session

    @staticmethod
    def load(path: Path | None = None, threads: int = 0) -> "EmotionModel":
        """The packaged model, or the weights in ``path``. Raises WeightsError when they are not an emotion model."""
        source = path or weights_file("evp.emotion", "emotion.onnx")
        session = load_session(source, threads)
        if (session.metadata.get("kind"), session.metadata.get("format")) != ("emotion", FORMAT):
            raise WeightsError(f"{source} is not an emotion model of format {FORMAT}")
        return EmotionModel(session)

    @property
    def ear(self) -> Ear:
        """How it hears."""
        return ear_for(self.session.metadata)

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotions that it tells apart."""
        return tuple(self.session.metadata["labels"])

    @cached_property
    def label_codes(self) -> dict[str, NDArray[np.float32]]:
        """Emotion -> its mean code (128,) over training recordings; there may be more of them than ``labels``."""
        stored = self.session.metadata["label_codes"]
        return {label: np.array(code, np.float32) for label, code in stored.items()}

    def hear(self, waveform: NDArray[np.floating]) -> Heard:
        """What is heard in ``waveform`` (samples,), 16 kHz mono, -1..1, window by window; only the result is kept."""
        loudness = measure(waveform)
        count = self.ear.count(len(waveform))
        blocks = list(self._hear_blocks(waveform, loudness, count))
        sizes = [output.shape[-1] for output in self.session.inference.get_outputs()]
        codes, scores = (
            np.concatenate([np.zeros((0, size), np.float32), *(block[number] for block in blocks)])
            for number, size in enumerate(sizes)
        )
        speech = np.concatenate([np.zeros(0, bool), *(block[2] for block in blocks)])
        return Heard(self.ear.times(count), codes, softmax(scores), speech)

    def _hear_blocks(
        self, waveform: NDArray[np.floating], loudness: Loudness, count: int
    ) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]]:
        for first in range(0, count, BLOCK_WINDOWS):
            last = min(first + BLOCK_WINDOWS, count)
            windows, speech = self.ear.windows(waveform, loudness, first, last)
            codes, scores = self.session.run(windows=windows)
            yield codes, scores, speech


def softmax(scores: NDArray[np.floating]) -> NDArray[np.floating]:
    """Scores (N, L) -> probabilities."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True, initial=-np.inf))
    return powers / powers.sum(axis=1, keepdims=True)
