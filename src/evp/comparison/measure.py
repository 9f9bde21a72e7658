"""One generated film against one recorded film."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.audio.prosody import prosody
from evp.clock import FRAME_RATE
from evp.comparison.feeling import as_seen, seen_emotion
from evp.comparison.films import PIXELS, Film, Look, crop_points, looks, write_again
from evp.comparison.labels import Spans, labelled_closures, spoken_closures
from evp.comparison.networks import Codes, Networks
from evp.comparison.pairs import Pair
from evp.corpora.synchrony import best_lag
from evp.emotion.hearing import EmotionModel
from evp.errors import FaceError, InputError
from evp.evaluation.baselines import Example, loudness_features, spectrum_features
from evp.evaluation.faces import (
    blinks,
    closed_share,
    correlation,
    eye_distance,
    flat_points,
    head_fixed,
    jitter,
    landmark_distance,
    opening_and_width,
    shape_difference,
    silent_frames,
    speed,
    travel,
    velocity_distance,
)
from evp.evaluation.pictures import (
    face_box,
    flicker,
    mouth_box,
    outline_steps,
    psnr,
    sharpness,
    ssim,
    still_skin,
)
from evp.face.basis import FaceBasis
from evp.face.head import find_neutral, fit_head
from evp.media import read_speech
from evp.motion.expression import ExpressionModel
from evp.portrait.bundle import Portrait

Values = dict[str, float]
"""Figure -> its value for one film; what could not be measured is not a number or not there."""
Progress = Callable[[str, int, int], None]

GENERATED, REAL, STILL, LOUDNESS, RIDGE = "generated", "real", "still", "loudness", "ridge"
WHO = (GENERATED, REAL, STILL, LOUDNESS, RIDGE)
LEAST_FRAMES = 25
"""A pair that shows the face in fewer frames is refused."""
SHOWN = 6
"""Frames of a pair that the report shows."""
_SHOWN_PIXELS = 192
_PERCENT = 100.0


@dataclass
class Clip:
    """What was measured of one pair."""

    pair: Pair
    frames: int
    """T, the frames that both films have."""
    left_out: int
    """Frames in which one of them does not show the face well."""
    values: dict[str, Values]
    """Who (``WHO``) -> values."""
    missing: dict[str, str]
    """Figure -> why it could not be measured here."""
    emotions: dict[str, str]
    """What is seen in both films, what is heard, what was asked for."""
    curves: dict[str, NDArray[np.float64]]
    """Name -> (T,): opening and width of both mouths in percent of face height, loudness in decibels."""
    pictures: list[tuple[float, NDArray[np.uint8], NDArray[np.uint8]]]
    """Seconds, and the real and the generated crop at that time."""
    features: dict[str, NDArray[np.float32]]
    """Who -> Inception's features (N, D)."""
    examples: dict[str, Example] = field(default_factory=dict)
    """Baseline -> what it may learn from this clip."""
    truth: "Truth | None" = None


@dataclass(frozen=True)
class Truth:
    """What a mouth is compared with."""

    neutral: NDArray[np.float64]
    """(478, 3) the recorded person's face at rest, in the head frame."""
    meshes: NDArray[np.float64]
    """(T, 478, 3) head frame."""
    known: NDArray[np.bool_]
    loudness: NDArray[np.float64] | None
    """(T,) decibels."""
    closures: Spans | None

    def compare(self, meshes: NDArray[np.float64]) -> Values:
        """What can be told from the landmarks of a face (T, 478, 3) in the head frame alone."""
        known = self.known
        values: Values = {}
        for letter, mouth in (("m", True), ("f", False)):
            made, true = PIXELS * flat_points(meshes, mouth), PIXELS * flat_points(self.meshes, mouth)
            values[f"{letter}_ld"] = landmark_distance(made, true, known)
            values[f"{letter}_lvd"] = velocity_distance(made, true, known)
        eyes = PIXELS * eye_distance(self.neutral)
        values |= {f"{key}_eyes": _PERCENT * value / eyes for key, value in values.items()}
        curves = zip(
            ("opening", "width"), opening_and_width(meshes), opening_and_width(self.meshes), strict=True
        )
        for name, made, true in curves:
            values[f"{name}_r"] = correlation(made, true, known)
            lag = best_lag(made, true, known)
            values[f"{name}_lag"] = float(lag.frames) if np.isfinite(lag.r) else float("nan")
            values[f"{name}_travel"] = travel(made, true, known)
        return values | self.alone(meshes)

    def alone(self, meshes: NDArray[np.float64]) -> Values:
        """What needs no other face to compare with."""
        values = {"jitter": _PERCENT * jitter(meshes, self.known)}
        values["blinks"] = 60 * FRAME_RATE * blinks(meshes, self.known) / max(int(self.known.sum()), 1)
        if self.loudness is not None:
            quiet = silent_frames(self.loudness) & self.known
            values["silence"] = _PERCENT * speed(flat_points(meshes, mouth=True), quiet)
        if self.closures:
            opening, _ = opening_and_width(meshes)
            values["closures"] = _PERCENT * closed_share(opening, self.closures, self.known)
        return values


def measure(pair: Pair, networks: Networks, progress: Progress) -> Clip:
    """Everything about a pair but the baselines that need other pairs. Raises EvpError."""
    recorded = Film.see(pair.recorded, lambda *told: progress("tracking the recorded film", *told))
    generated = Film.see(pair.generated, lambda *told: progress("tracking the generated film", *told))
    with tempfile.TemporaryDirectory() as folder:
        again = Path(folder) / "again.mp4"
        write_again(pair.recorded, again)
        copy = Film.see(again, lambda *told: progress("tracking the recorded film again", *told))
        return _Measurement(pair, networks, recorded, generated, copy, progress).clip()


class _Measurement:
    """The films of one pair, seen."""

    def __init__(
        self, pair: Pair, networks: Networks, recorded: Film, generated: Film, copy: Film, progress: Progress
    ) -> None:
        self.pair, self.networks, self.progress = pair, networks, progress
        self.films = {GENERATED: generated, REAL: copy}
        self.recorded = recorded
        self.frames = min(len(film) for film in (recorded, generated, copy))
        known = np.all([film.known[: self.frames] for film in (recorded, generated, copy)], axis=0)
        if known.sum() < LEAST_FRAMES:
            raise FaceError(
                f"{pair.name}: the face is seen well in both films in {known.sum()} frames only, "
                f"{LEAST_FRAMES} are needed"
            )
        self.known = known
        self.basis = FaceBasis.load()
        self.neutral = find_neutral(self.basis, recorded.landmarks[recorded.known])
        self.missing: dict[str, str] = {}
        self.waveform = self._sound()

    def clip(self) -> Clip:
        meshes = {who: self._meshes(film) for who, film in self.films.items()}
        true = self._meshes(self.recorded)
        loudness = None
        if self.waveform is not None:
            loudness = np.full(self.frames, -100.0)
            heard = prosody(self.waveform).loudness[: self.frames]
            loudness[: len(heard)] = heard
        truth = Truth(self.neutral, true, self.known, loudness, self._closures())
        if loudness is not None and not silent_frames(loudness).any():
            self.missing["silence"] = "there is no silence in the sound"
        values = {who: truth.compare(mesh) for who, mesh in meshes.items()}
        values[REAL] |= truth.alone(true)
        still = np.broadcast_to(self.neutral, true.shape)
        values[STILL] = truth.compare(np.array(still))
        for who, film in self.films.items():
            own = find_neutral(self.basis, film.landmarks[film.known])
            values[who]["identity_drift"] = _PERCENT * shape_difference(own, self.neutral)
        emotions = self._emotions(values)
        pictures, features = self._look(values)
        opening, width = opening_and_width(true)
        made_opening, made_width = opening_and_width(meshes[GENERATED])
        curves = {
            "opening, recorded": _PERCENT * opening, "opening, generated": _PERCENT * made_opening,
            "width, recorded": _PERCENT * width, "width, generated": _PERCENT * made_width,
        }  # fmt: skip
        if loudness is not None:
            curves["loudness"] = loudness
        return Clip(
            self.pair, self.frames, int((~self.known).sum()), values, self.missing, emotions, curves, pictures,
            features, self._examples(true), truth,
        )  # fmt: skip

    def _meshes(self, film: Film) -> NDArray[np.float64]:
        meshes = head_fixed(film.landmarks[: self.frames], self.neutral)
        meshes[~self.known] = np.nan
        return meshes

    def _sound(self) -> NDArray[np.float32] | None:
        for film in (self.pair.recorded, self.pair.generated):
            try:
                return read_speech(film)
            except InputError:
                continue
        without = "neither film has sound"
        self.missing |= dict.fromkeys(("silence", "lse_c", "lse_d", "emotion_agrees"), without)
        return None

    def _closures(self) -> Spans | None:
        if self.pair.labels is not None:
            spans = labelled_closures(self.pair.labels)
        elif self.pair.transcript is not None and self.waveform is not None:
            spans = spoken_closures(self.pair.transcript, self.waveform)
        else:
            self.missing["closures"] = "no labels and no transcript of the recording were given"
            return None
        if not spans:
            self.missing["closures"] = "nothing that was said has an m, b or p"
        return spans

    def _examples(self, true: NDArray[np.float64]) -> dict[str, Example]:
        if self.waveform is None:
            return {}
        mouth = self.basis.coefficients((true - self.neutral).astype(np.float32))[:, : self.basis.mouth_count]
        wanted = np.where(self.known[:, None], mouth, 0).astype(np.float64)
        examples = {}
        for name, listen in ((LOUDNESS, loudness_features), (RIDGE, spectrum_features)):
            heard = listen(self.waveform)[: self.frames]
            features = np.pad(heard, ((0, self.frames - len(heard)), (0, 0)), mode="edge")
            examples[name] = Example(features, wanted, self.known)
        return examples

    def _emotions(self, values: Mapping[str, Values]) -> dict[str, str]:
        emotions: dict[str, str] = {}
        if self.pair.emotion is not None:
            emotions["asked"] = self.pair.emotion
        else:
            self.missing["emotion_asked"] = "no emotion was named that was asked for"
        if self.waveform is not None:
            model = EmotionModel.load()
            try:
                emotions["heard"] = model.labels[int(model.hear(self.waveform).whole.argmax())]
            except InputError as error:
                self.missing["emotion_agrees"] = str(error)
        calm = self._calm()
        if calm is None:
            why = "no portrait and no film of the person talking without emotion were given"
            self.missing |= dict.fromkeys(("emotion_agrees", "emotion_asked"), why)
            return emotions
        neutral, usual = calm
        faces = ExpressionModel.load()
        for who, film in ((GENERATED, self.films[GENERATED]), (REAL, self.recorded)):
            head = fit_head(self.basis, film.landmarks[film.known], neutral)
            emotions[f"seen, {who}"] = seen = seen_emotion(
                self.basis.coefficients(head.displacement).mean(axis=0) - usual, faces
            )
            for key, source in (("emotion_agrees", "heard"), ("emotion_asked", "asked")):
                if source in emotions:
                    values[who][key] = _PERCENT * (seen == as_seen(emotions[source]))
        return emotions

    def _calm(self) -> tuple[NDArray[np.floating], NDArray[np.float32]] | None:
        """The person's face at rest, and the mean expression (M + U,) of speech without emotion."""
        if self.pair.neutral is not None:
            film = Film.see(
                self.pair.neutral, lambda *told: self.progress("tracking the neutral film", *told)
            )
            head = fit_head(self.basis, film.landmarks[film.known])
            return head.neutral, self.basis.coefficients(head.displacement).mean(axis=0)
        if self.pair.portrait is not None:
            portrait = Portrait.open(self.pair.portrait)
            return portrait.head.neutral, portrait.aligner.coefficients.mean(axis=0)
        return None

    def _look(
        self, values: Mapping[str, Values]
    ) -> tuple[list[tuple[float, NDArray[np.uint8], NDArray[np.uint8]]], dict[str, NDArray[np.float32]]]:
        """Everything that needs the pixels, in one pass over the three films; also the pictures of the report."""
        seen = {
            who: _Seen(Codes(self.networks, self.frames, self.waveform))
            for who in (GENERATED, REAL, "recorded", STILL)
        }
        films = {"recorded": self.recorded, **self.films}
        still = self._still_look()
        shown = np.flatnonzero(self.known)[np.linspace(0, self.known.sum() - 1, SHOWN).astype(int)]
        pictures = []
        passes = [looks(film, self.neutral, self.frames) for film in films.values()]
        face = face_box(crop_points(self.neutral), (256, 256))
        for number, at_once in enumerate(zip(*passes, strict=True)):
            self.progress("comparing pixels", number + 1, self.frames)
            frame = dict(zip(films, at_once, strict=True))
            if not self.known[number]:
                frame = dict.fromkeys(frame)
            for who, look in frame.items():
                seen[who].add(number, look)
            truth = frame["recorded"]
            if truth is None:
                continue
            mouth = mouth_box(truth.crop_landmarks, truth.crop.shape)
            for who, look in (*((w, frame[w]) for w in self.films), (STILL, still)):
                assert look is not None
                seen[who].compare(look.crop, truth.crop, face, mouth)
            if number in shown:
                made = frame[GENERATED]
                assert made is not None
                pictures.append((number / FRAME_RATE, _thumbnail(truth.crop), _thumbnail(made.crop)))
        for who in (GENERATED, REAL, STILL):
            values[who].update(seen[who].figures())
        for who in self.films:
            values[who].update(seen[who].against(seen["recorded"], crop_points(self.neutral)))
        values[REAL]["flicker"] = seen["recorded"].flickering()
        values[GENERATED]["flicker"] = seen[GENERATED].flickering()
        for who, own in ((GENERATED, seen[GENERATED]), (REAL, seen["recorded"])):
            values[who]["lse_c"], values[who]["lse_d"] = own.codes.synchrony()
        reasons = {
            "fid": (self.networks.inception, "no Inception network was given (--inception)"),
            "identity": (self.networks.identity, "no network of faces was given (--identity)"),
            "lse_c": (self.networks.syncnet, "no SyncNet was given (--syncnet)"),
            "lse_d": (self.networks.syncnet, "no SyncNet was given (--syncnet)"),
        }
        self.missing |= {key: why for key, (network, why) in reasons.items() if network is None}
        features = {
            who: np.concatenate(own.codes.features) for who, own in seen.items() if own.codes.features
        }
        return pictures, features

    def _still_look(self) -> Look:
        """The recorded frame with the most closed mouth: what a still face shows all the time."""
        opening, _ = opening_and_width(self._meshes(self.recorded))
        closed = int(np.nanargmin(opening))
        for number, look in enumerate(looks(self.recorded, self.neutral, closed + 1)):
            if number == closed and look is not None:
                return look
        raise FaceError(f"{self.pair.recorded} ends before its face does")


class _Seen:
    """What is collected of one film, frame by frame."""

    def __init__(self, codes: Codes) -> None:
        self.codes = codes
        self._scores: dict[str, list[float]] = {
            key: [] for key in ("ssim", "psnr", "mouth_ssim", "mouth_psnr")
        }
        self._sharp: list[float] = []
        self._flicker: list[float] = []
        self._recent: list[NDArray[np.uint8]] = []
        self._skin: list[NDArray[np.bool_]] = []
        self._sum = np.zeros((256, 256, 3))
        self._count = 0

    def add(self, number: int, look: Look | None) -> None:
        """The next frame."""
        self.codes.add(number, look)
        if look is None:
            self._recent, self._skin = [], []
            return
        self._sharp.append(sharpness(look.crop[mouth_box(look.crop_landmarks, look.crop.shape)]))
        self._sum += look.crop
        self._count += 1
        self._recent = [*self._recent[-2:], look.frame]
        self._skin = [*self._skin[-2:], still_skin(look.landmarks, look.frame.shape)]
        if len(self._recent) == 3:
            self._flicker.append(flicker(self._recent, self._skin))

    def compare(
        self,
        crop: NDArray[np.uint8],
        truth: NDArray[np.uint8],
        face: tuple[slice, slice],
        mouth: tuple[slice, slice],
    ) -> None:
        """A frame's crop against the real one."""
        for prefix, where in (("", face), ("mouth_", mouth)):
            self._scores[f"{prefix}ssim"].append(ssim(crop[where], truth[where]))
            self._scores[f"{prefix}psnr"].append(psnr(crop[where], truth[where]))

    def figures(self) -> Values:
        """Means over the frames."""
        return {key: float(np.mean(scores)) for key, scores in self._scores.items() if scores}

    def against(self, real: "_Seen", points: NDArray[np.floating]) -> Values:
        """What compares two whole films; ``points`` (478, 2) are those of the neutral face in the crop."""
        steps = [outline_steps(one._sum / max(one._count, 1), points) for one in (self, real)]
        values = {
            "mouth_sharpness": float(np.mean(self._sharp) / max(float(np.mean(real._sharp)), 1e-9)),
            "seam": float(max((steps[0] - steps[1]).max(), 0.0)),
        }
        both = self.codes.identities.keys() & real.codes.identities.keys()
        if both:
            alike = [float(self.codes.identities[n] @ real.codes.identities[n]) for n in sorted(both)]
            values["identity"] = float(np.mean(alike))
        return values

    def flickering(self) -> float:
        """In levels."""
        return float(np.mean(self._flicker)) if self._flicker else float("nan")


def _thumbnail(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    small = cv2.resize(crop, (_SHOWN_PIXELS, _SHOWN_PIXELS), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def baseline_values(clips: Sequence[Clip], name: str, predictions: Sequence[NDArray[np.float64]]) -> None:
    """Adds to every clip what mouths (T, M) do that a baseline of this name predicts."""
    basis = FaceBasis.load()
    for clip, mouth in zip(clips, predictions, strict=True):
        if clip.truth is not None and np.isfinite(mouth).all():
            moved = clip.truth.neutral + basis.displacement(mouth.astype(np.float32))
            clip.values[name] = clip.truth.compare(moved)
            opening, _ = opening_and_width(moved)
            clip.curves[f"opening, {name}"] = _PERCENT * opening
