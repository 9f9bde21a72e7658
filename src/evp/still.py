"""One frame of a film that is not made yet: what the film will show at a moment, without the frames before it."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.audio.prosody import Prosody, prosody
from evp.clock import FRAME_RATE, SAMPLE_RATE
from evp.emotion.hearing import EmotionModel
from evp.emotion.space import EmotionSpace
from evp.emotion.track import AUTO, EmotionTrack, parse_track
from evp.errors import InputError, OutputError
from evp.files import write_whole
from evp.media import check_output, read_speech
from evp.motion.expression import NEIGHBOURS, ExpressionModel
from evp.motion.model import MotionModel
from evp.motion.travel import as_far
from evp.pipeline import choose_emotion
from evp.portrait.builtin import builtin_portrait
from evp.portrait.bundle import Portrait
from evp.portrait.perform import perform

MOST_SECONDS = 3600.0
"""How late in a film without speech a moment may be."""

_JPEG_QUALITY = 88


@dataclass(frozen=True)
class Rehearsal:
    """A speech of F frames with all that does not depend on the emotion done, so that any moment is shown at once."""

    mouths: NDArray[np.floating]
    """(F, M) mouth coefficients."""
    voice: Prosody
    heard: EmotionTrack
    """The emotion "auto"."""
    seconds: float | None
    """Length of the speech; None when there is none, and the film may have any."""
    space: EmotionSpace
    face: ExpressionModel

    @staticmethod
    def of(speech: NDArray[np.floating]) -> "Rehearsal":
        """For ``speech`` (samples,), 16 kHz mono, -1..1, with the packaged models."""
        return Rehearsal(
            MotionModel.load().predict(speech), prosody(speech), choose_emotion(speech), len(speech) / SAMPLE_RATE,
            EmotionSpace(EmotionModel.load().label_codes), ExpressionModel.load(),
        )  # fmt: skip

    @staticmethod
    def at_rest() -> "Rehearsal":
        """Without speech: the mouth is at rest, and emotion is as strong as in the loudest voice."""
        space = EmotionSpace(EmotionModel.load().label_codes)
        frames = round(MOST_SECONDS * FRAME_RATE) + 1
        face = ExpressionModel.load()
        silence = np.zeros(frames, np.float32)
        mouths = np.broadcast_to(
            np.zeros(face.basis.mouth_count, np.float32), (frames, face.basis.mouth_count)
        )
        neutral = EmotionTrack.steady(space.code({}))
        return Rehearsal(mouths, Prosody(silence, silence), neutral, None, space, face)

    def emotion(self, description: str) -> EmotionTrack:
        """As `choose_emotion` has it for this speech. Raises InputError."""
        return self.heard if description == AUTO else parse_track(description, self.space, self.seconds)

    def show(self, portrait: Portrait, emotion: EmotionTrack, at: float) -> NDArray[np.uint8]:
        """The frame (H, W, 3) RGB of a portrait that is on the screen ``at`` seconds; the last one stays.

        Only the frame that gives the inside of the mouth may be another than in the film, where it changes reluctantly.
        Raises InputError for a moment before the beginning, or unreasonably late.
        """
        if not 0 <= at <= MOST_SECONDS:
            raise InputError(f"there is nothing to show at {at:g} s: give 0 to {MOST_SECONDS:g} seconds")
        frame = min(int(at * FRAME_RATE + 1e-6), len(self.mouths) - 1)
        first = max(frame - 2 * NEIGHBOURS, 0)
        mouths = as_far([self.mouths[first : frame + 2 * NEIGHBOURS + 1]], portrait.reach.factor)
        motion = self.face.act(
            mouths, emotion, self.space, self.voice, first=first, widest=portrait.reach.widest
        )
        played = portrait.played(frame)
        moment = islice(motion, frame - first, None)
        return next(perform(portrait, moment, [(played, portrait.picture(played))]))


def still(
    speech: NDArray[np.floating] | None, portrait: Portrait, emotion: str = AUTO, at: float = 0.0
) -> NDArray[np.uint8]:
    """The frame (H, W, 3) RGB of the film of ``speech``, or of a face at rest, ``at`` seconds. Raises InputError."""
    rehearsal = Rehearsal.at_rest() if speech is None else Rehearsal.of(speech)
    return rehearsal.show(portrait, rehearsal.emotion(emotion), at)


def still_file(
    speech: Path | None, portrait: Path | None, output: Path, *, emotion: str = AUTO, at: float = 0.0
) -> None:
    """Write `still` as a picture, PNG or JPEG; without a ``portrait``, of the built-in one. Raises EvpError."""
    check_output(output)
    if output.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise OutputError(
            f"cannot write {output}: pictures are PNG or JPEG, so the name must end in .png or .jpg"
        )
    person = Portrait.open(portrait or builtin_portrait())
    frame = still(None if speech is None else read_speech(speech), person, emotion, at)
    write_whole(output, encoded(frame, output.suffix.lower()))


def encoded(picture: NDArray[np.uint8], suffix: str = ".jpg", most_width: int | None = None) -> bytes:
    """An RGB picture (H, W, 3) as the content of a file, not wider than ``most_width`` pixels."""
    height, width = picture.shape[:2]
    if most_width is not None and width > most_width:
        size = most_width, max(1, round(height * most_width / width))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    options = [] if suffix == ".png" else [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    return cv2.imencode(suffix, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)[1].tobytes()
