"""Runs an imported landmark network: speech and an emotion in, the original's landmarks out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evp.audio.mfcc import mfcc
from evp.audio.windows import windows
from evp.clock import ROWS_PER_FRAME, WINDOW_ROWS
from evp.errors import InputError, WeightsError
from evp.media import read_speech
from evp.original.arrays import read_array, write_array
from evp.weights import Session, load_session

KIND, FORMAT = "evp-landmarks", 1
EMOTION_SIZE = 128
NEUTRAL = "neutral"

Progress = Callable[[int, int], None]
"""Called with frames done and frames in all."""


@dataclass(frozen=True)
class OriginalMotion:
    """A person's landmark network of the original, imported by :func:`evp.original.convert.import_landmarks`."""

    session: Session
    features: dict[str, NDArray[np.float32]]
    """Emotion codes (128,) by name, as they were imported."""

    @staticmethod
    def load(path: Path, threads: int = 0) -> "OriginalMotion":
        """Raises WeightsError when the file is not an imported landmark network."""
        session = load_session(path, threads)
        if (session.metadata.get("kind"), session.metadata.get("format")) != (KIND, FORMAT):
            raise WeightsError(f"{path} is not a landmark network of format {FORMAT} from 'evp import-evp'")
        stored = session.metadata["features"].items()
        features = {name: np.array(values, np.float32) for name, values in stored}
        return OriginalMotion(session, features)

    def feature(self, name: str) -> NDArray[np.float32]:
        """The emotion code (128,) that was imported under this name, or is stored in the file of this name."""
        if name in self.features:
            return self.features[name]
        if not Path(name).suffix:
            known = ", ".join(sorted(self.features)) or "none"
            raise InputError(f"{name} is neither a file nor one of the imported emotion features: {known}")
        return read_array(Path(name), (EMOTION_SIZE,))

    def emotion(self, feature: str | None, audio: Path | None) -> NDArray[np.float32]:
        """What :meth:`predict` takes: heard in a recording, or else a :meth:`feature`, by default "neutral"."""
        return self.feature(feature or NEUTRAL) if audio is None else self.hear(read_speech(audio))

    def predict(
        self,
        waveform: NDArray[np.floating],
        emotion: NDArray[np.float32],
        progress: Progress | None = None,
    ) -> NDArray[np.float32]:
        """Landmarks (frames, 106, 2), fractions of the crop, for speech (samples,), 16 kHz mono, -1..1.

        ``emotion`` is a code (128,) or codes (N, 128), one a frame: the last holds when there are too few. There are
        int(rows / 4) - 6 frames, as in the original: the last frames of the sound have no window of their own.
        Raises InputError when the sound is too short for a frame.
        """
        return np.stack(
            [landmarks for landmarks, _ in self._run(speech_windows(waveform), emotion, progress)]
        )

    def hear(self, waveform: NDArray[np.floating]) -> NDArray[np.float32]:
        """The emotion codes (frames, 128) of a recording (samples,), for :meth:`predict` of another."""
        unheard = np.zeros(EMOTION_SIZE, np.float32)
        return np.stack([own for _, own in self._run(speech_windows(waveform), unheard)])

    def _run(
        self,
        heard: NDArray[np.float32],
        emotion: NDArray[np.float32],
        progress: Progress | None = None,
    ) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        codes = np.atleast_2d(np.asarray(emotion, np.float32))
        hidden = np.zeros(self.session.metadata["state"], np.float32)
        cell = hidden
        for frame in range(len(heard)):
            code = codes[min(frame, len(codes) - 1)]
            landmarks, hidden, cell, own = self.session.run(
                window=heard[frame : frame + 1], emotion=code[None], hidden=hidden, cell=cell
            )
            yield landmarks[0], own[0]
            if progress is not None:
                progress(frame + 1, len(heard))


def speech_windows(waveform: NDArray[np.floating]) -> NDArray[np.float32]:
    """The windows (frames, 28, 12) that the original's test script cuts. Raises InputError when there is none."""
    rows = mfcc(waveform)
    frames = len(rows) // ROWS_PER_FRAME - (WINDOW_ROWS // ROWS_PER_FRAME - 1)
    if frames < 1:
        raise InputError("the recording is too short for the original's landmark network")
    return np.ascontiguousarray(windows(rows, frames), np.float32)


def predict_file(
    speech: Path,
    model: Path,
    output: Path,
    *,
    feature: str | None = None,
    emotion_audio: Path | None = None,
    progress: Progress | None = None,
) -> int:
    """Write the landmarks (frames, 106, 2) of a recording as ``.npy``; returns the number of frames.

    The emotion is that of a ``feature``, or is heard in ``emotion_audio``: see :meth:`OriginalMotion.emotion`. Raises
    EvpError for anything the user can mend.
    """
    motion = OriginalMotion.load(model)
    landmarks = motion.predict(read_speech(speech), motion.emotion(feature, emotion_audio), progress)
    write_array(output, landmarks)
    return len(landmarks)
