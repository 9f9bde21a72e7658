"""Runs the trained network: a recording in, the mouth's expression coefficients out."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evp.audio.loudness import measure
from evp.audio.mel import log_mel_rows
from evp.clock import ROWS_PER_FRAME, frames_for_samples
from evp.errors import WeightsError
from evp.motion.features import motion_features
from evp.weights import Session, load_session, weights_file

FORMAT = 3
EMOTION_SIZE = 128
CONTEXT_FRAMES = 72
"""Frames on both sides that can influence a frame: more than the reach of the network and of the gate."""
BLOCK_FRAMES = 250
FIRST_FRAMES = 25
"""The first block is a short one: the first frame does not have to wait."""
GATE_REACH = 2
"""Frames before and after speech in which the mouth still moves: it opens before the voice and closes after it."""
GATE_FROM, GATE_TO = 0.25, 0.55
"""Probability of speech up to which the mouth rests, and from which it moves freely."""
GATE_FRAMES = 5
"""Width of the window that makes the mouth come to rest smoothly where nobody speaks."""


@dataclass(frozen=True)
class MotionModel:
    """From sound to mouth coefficients, for any voice."""

    session: Session

    @staticmethod
    def load(path: Path | None = None, threads: int = 0) -> "MotionModel":
        """The packaged model, or the weights in ``path``. Raises WeightsError when they are not a motion model."""
        source = path or weights_file("evp.motion", "motion.onnx")
        session = load_session(source, threads)
        if (session.metadata.get("kind"), session.metadata.get("format")) != ("motion", FORMAT):
            raise WeightsError(f"{source} is not a motion model of format {FORMAT}")
        return MotionModel(session)

    @property
    def coefficient_count(self) -> int:
        """M, the number of mouth coefficients."""
        return int(self.session.inference.get_outputs()[0].shape[-1])

    @property
    def emotional(self) -> bool:
        """Whether the mouth itself was learned from emotional speech, so that it follows the emotion code."""
        return bool(self.session.metadata.get("emotional", False))

    def predict(
        self, waveform: NDArray[np.floating], emotion: NDArray[np.floating] | None = None
    ) -> NDArray[np.floating]:
        """Mouth coefficients float32 (frames, M), standard deviations, for ``waveform`` (samples,), 16 kHz mono, -1..1.

        ``emotion`` is a code float32 (128,) relative to the neutral one; None is neutral. There is a frame for every
        1/25 s of sound, the last, partial one included. Silence and steady noise give zeros: the neutral, closed mouth.
        """
        nothing = np.zeros((0, self.coefficient_count), np.float32)
        return np.concatenate([nothing, *self.predict_blocks(waveform, emotion)])

    def predict_blocks(
        self,
        waveform: NDArray[np.floating],
        emotion: NDArray[np.floating] | None = None,
        block_frames: int = BLOCK_FRAMES,
    ) -> Iterator[NDArray[np.floating]]:
        """``predict`` in consecutive blocks; memory does not grow with the sound, values do not depend on the block."""
        loudness = measure(waveform)
        code = (
            np.zeros((1, EMOTION_SIZE), np.float32) if emotion is None else emotion[None].astype(np.float32)
        )
        frames = frames_for_samples(len(waveform))
        last = 0
        while (first := last) < frames:
            last = min(first + (block_frames if first else min(FIRST_FRAMES, block_frames)), frames)
            rows = log_mel_rows(
                waveform, (first - CONTEXT_FRAMES) * ROWS_PER_FRAME, (last + CONTEXT_FRAMES) * ROWS_PER_FRAME
            )
            coefficients, speech = self.session.run(
                features=motion_features(rows, loudness)[None], emotion=code
            )
            gated = coefficients[0] * _gate(speech[0])[:, None]
            yield gated[CONTEXT_FRAMES : CONTEXT_FRAMES + last - first]


def _gate(speech: NDArray[np.floating]) -> NDArray[np.floating]:
    """How far the mouth follows the network, 0..1, from the probability of speech in every frame."""
    around = np.lib.stride_tricks.sliding_window_view(np.pad(speech, GATE_REACH), 2 * GATE_REACH + 1)
    window = np.hanning(GATE_FRAMES + 2)[1:-1]
    follow = np.clip((around.max(axis=1) - GATE_FROM) / (GATE_TO - GATE_FROM), 0, 1)
    return np.convolve(follow, window / window.sum(), mode="same").astype(np.float32)
