"""The whole flow on one screen: speech -> facial motion -> aligned landmarks -> frames -> film."""

import io
from collections.abc import Callable, Iterator
from importlib.metadata import version
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evp.audio.prosody import prosody
from evp.background import meanwhile, run_ahead
from evp.clock import FRAME_RATE, SAMPLE_RATE, SAMPLES_PER_FRAME, frames_for_samples
from evp.emotion.hearing import EmotionModel
from evp.emotion.space import NEUTRAL, EmotionSpace
from evp.emotion.track import AUTO, EmotionTrack, parse_track, read_track
from evp.errors import FaceError, InputError, OutputError
from evp.face.basis import FaceBasis
from evp.face.head import fit_head
from evp.files import write_whole
from evp.media import FilmWriter, check_output, read_frames, read_speech
from evp.motion.expression import ExpressionModel
from evp.motion.facial import FacialMotion
from evp.motion.model import MotionModel
from evp.motion.travel import ANYBODY, Reach, as_far, no_wider
from evp.original.landmarks import KIND as ORIGINAL_KIND
from evp.original.landmarks import OriginalMotion
from evp.original.lifting import motion_from_speech
from evp.portrait.builtin import builtin_portrait
from evp.portrait.bundle import Portrait
from evp.portrait.perform import paint, perform
from evp.smoothing import smooth_in_time
from evp.weights import load_session

Progress = Callable[[int, int], None]
"""Called with frames done and frames in all."""

_MOTION_SMOOTH_FRAMES = 0.6


def animate(
    speech: NDArray[np.floating],
    portrait: Portrait,
    emotion: EmotionTrack | None = None,
    motion: MotionModel | None = None,
) -> Iterator[NDArray[np.uint8]]:
    """Frames (H, W, 3) RGB, 25 a second, of the portrait saying ``speech`` (samples,), 16 kHz mono, -1..1.

    Without an ``emotion`` the face stays neutral; `choose_emotion` makes one. ``motion`` takes the place of the
    packaged model.
    """
    return perform(portrait, move(speech, emotion, motion, portrait.reach))


def move(
    speech: NDArray[np.floating],
    emotion: EmotionTrack | None = None,
    motion: MotionModel | None = None,
    reach: Reach = ANYBODY,
) -> Iterator[FacialMotion]:
    """The facial motion of `animate`, for a person whose mouth has this ``reach``.

    A ``motion`` model that was itself trained with emotions gets the mean code of the film, and its mouth is left
    alone.
    """
    factor = reach.factor if motion is None else 1.0
    motion = motion or MotionModel.load()
    if emotion is None:
        return map(FacialMotion, chain.from_iterable(as_far(motion.predict_blocks(speech), factor)))
    space, code = emotion_space(), None
    if motion.emotional:
        seconds = np.arange(len(speech) // SAMPLE_RATE + 1, dtype=np.float64)
        code = emotion.at(seconds).mean(axis=0) - space.codes[NEUTRAL]
    mouths = as_far(motion.predict_blocks(speech, code), factor)
    voice = prosody(speech)
    return ExpressionModel.load().act(
        mouths, emotion, space, voice, not motion.emotional, widest=reach.widest
    )


def animate_imported(
    speech: NDArray[np.floating], portrait: Portrait, motion: OriginalMotion, code: NDArray[np.float32]
) -> Iterator[NDArray[np.uint8]]:
    """The same with a network of the original system, which has its own emotion codes (128,)."""
    return perform(portrait, move_imported(speech, motion, code))


def move_imported(
    speech: NDArray[np.floating], motion: OriginalMotion, code: NDArray[np.float32]
) -> Iterator[FacialMotion]:
    """The facial motion of `animate_imported`."""
    return map(FacialMotion, motion_from_speech(speech, motion, code))


def open_motion(path: Path) -> MotionModel | OriginalMotion:
    """The motion model in a file: of this project, or imported from the original system. Raises WeightsError."""
    imported = load_session(path).metadata.get("kind") == ORIGINAL_KIND
    return OriginalMotion.load(path) if imported else MotionModel.load(path)


def choose_emotion(
    speech: NDArray[np.floating],
    emotion: str = AUTO,
    emotion_audio: Path | None = None,
    emotion_feature: Path | None = None,
) -> EmotionTrack:
    """The emotion of a film of ``speech`` (samples,), 16 kHz mono, -1..1.

    ``emotion`` describes it (`parse_track`), or is "auto": as heard in the speech itself. Instead, another recording
    can lend its emotion (``emotion_audio``), or a ``.npy`` file can hold codes (``emotion_feature``, `read_track`).
    Raises InputError, also when more than one of the three is asked for.
    """
    if sum((emotion != AUTO, emotion_audio is not None, emotion_feature is not None)) > 1:
        raise InputError(
            "the emotion can come from a description, from a recording or from a file, not from several"
        )
    if emotion_feature is not None:
        return read_track(emotion_feature)
    if emotion != AUTO and emotion_audio is None:
        return parse_track(emotion, emotion_space(), len(speech) / SAMPLE_RATE)
    model = EmotionModel.load()
    space = EmotionSpace(model.label_codes)
    if emotion_audio is None:
        return EmotionTrack.heard(model.hear(speech), model.labels, space)
    voice = read_speech(emotion_audio)
    try:
        whole = model.hear(voice).whole
    except InputError as error:
        raise InputError(f"{emotion_audio}: {error}") from error
    return EmotionTrack.steady(space.likely(whole[None], model.labels)[0])


def save_emotion(output: Path, emotion: str | None = None, emotion_audio: Path | None = None) -> None:
    """Write the codes of a description, or of what is heard in a recording, as a ``.npy`` file for `read_track`.

    (128,), or (frames, 128) up to the last point of a description that changes over time. Raises EvpError.
    """
    check_output(output)
    if output.suffix.lower() != ".npy":
        raise OutputError(
            f"cannot write {output}: emotion codes are a .npy file, so the name must end in .npy"
        )
    if (emotion is None) == (emotion_audio is None):
        raise InputError("give either a description of an emotion or a recording to hear it in")
    if emotion is not None:
        track = parse_track(emotion, emotion_space())
    else:
        track = choose_emotion(np.zeros(0), emotion_audio=emotion_audio)
    frames = np.arange(0, track.times[-1] + 0.5 / FRAME_RATE, 1 / FRAME_RATE)
    codes = track.codes[0] if len(track.times) == 1 else track.at(frames)
    content = io.BytesIO()
    np.save(content, codes)
    write_whole(output, content.getvalue())


def emotion_space() -> EmotionSpace:
    """The labels that emotion can be described with, and their codes: those of the packaged emotion model."""
    return EmotionSpace(EmotionModel.load().label_codes)


def motion_from_film(film: Path) -> NDArray[np.float32]:
    """Expression coefficients (frames, M + U) of the face in a film: expression only, no pose.

    Where the face is lost, the expression goes over from the one before to the one after.
    Raises InputError, FaceError, MissingExtraError.
    """
    from evp.face.tracking import track_faces

    try:
        track = track_faces(read_frames(film))
    except FaceError as error:
        raise FaceError(f"{film}: {error}") from error
    basis = FaceBasis.load()
    seen = np.flatnonzero(track.valid)
    known = basis.coefficients(fit_head(basis, track.landmarks[seen]).displacement)
    every = np.arange(len(track))
    whole = np.stack([np.interp(every, seen, column) for column in known.T], axis=1)
    return smooth_in_time(whole, _MOTION_SMOOTH_FRAMES).astype(np.float32)


def animate_file(
    speech: Path | None,
    portrait: Path | None,
    output: Path,
    *,
    emotion: str = AUTO,
    emotion_audio: Path | None = None,
    emotion_feature: Path | None = None,
    motion: Path | None = None,
    motion_from: Path | None = None,
    progress: Progress | None = None,
) -> None:
    """Make the film ``output`` of a portrait saying ``speech``; with ``motion_from``, a film gives the motion instead.

    Without a ``portrait`` the built-in one speaks.
    ``emotion``, ``emotion_audio`` and ``emotion_feature`` are those of `choose_emotion`; a film brings its own emotion.
    ``motion`` is a motion model (`open_motion`) to use instead of the packaged one; for one of the original system
    ``emotion`` is a name that was imported with it, and ``emotion_feature`` holds one of that system's codes.
    With a film and no speech, the film's own sound, if it has any, is used. The film appears only when it is whole.
    Raises EvpError for anything the user can mend.
    """
    check_output(output)
    if output.suffix.lower() != ".mp4":
        raise OutputError(f"cannot write {output}: films are MP4, so the name must end in .mp4")
    target = Portrait.open(portrait or builtin_portrait())
    with meanwhile(target.renderer):
        if motion_from is not None:
            waveform = _sound(speech) if speech is not None else _sound_or_none(motion_from)
            film_motion = no_wider(motion_from_film(motion_from), target.reach.widest)
            moves: Iterator[FacialMotion] = map(FacialMotion, film_motion)
            total = len(film_motion)
            waveform = None if waveform is None else waveform[: total * SAMPLES_PER_FRAME]
        elif speech is not None:
            waveform = _sound(speech)
            total = frames_for_samples(len(waveform))
            model = None if motion is None else open_motion(motion)
            if isinstance(model, OriginalMotion):
                feature = str(emotion_feature or ("" if emotion == AUTO else emotion)) or None
                moves = move_imported(waveform, model, model.emotion(feature, emotion_audio))
            else:
                track = choose_emotion(waveform, emotion, emotion_audio, emotion_feature)
                moves = move(waveform, track, model, target.reach)
        else:
            raise InputError("give a recording of speech, or a film to take the motion from")
        moves = chain([next(moves)], moves)  # the first is the slowest
    height, width = target.manifest.size
    metadata = {"software": f"evp {version('evp')}"}
    with FilmWriter(output, width, height, waveform, metadata) as film:
        pictures = run_ahead(painted.stored() for painted in paint(target, moves))
        for done, picture in enumerate(pictures, start=1):
            film.write_picture(picture)
            if progress is not None:
                progress(done, total)


def _sound(path: Path) -> NDArray[np.floating]:
    """The speech in half precision (relative error 0.05 %): the only thing here that grows with its length."""
    return read_speech(path).astype(np.float16)


def _sound_or_none(film: Path) -> NDArray[np.floating] | None:
    try:
        return _sound(film)
    except InputError:
        return None
