"""Prints how emotions show on faces that were filmed neutral, against real actors.

    python benchmarks/face_bars.py MEAD_CORPUS SPEECH PORTRAIT [PORTRAIT ...] [--json out.json]

Films are made of every portrait saying SPEECH in every emotion, and tracked anew; nothing is read from the model but
pixels. For each actor of the corpus there is also a model that has not seen that actor, whose films are compared with
that actor alone. Displacements are head-fixed in 3-D, mean over the clip, relative to the same person's neutral clip.
"""

import argparse
import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evp.audio.prosody import prosody
from evp.corpora.manifest import Manifest
from evp.emotion.space import NEUTRAL
from evp.emotion.track import EmotionTrack, parse_track
from evp.evaluation.recognition import average_recall, confusion
from evp.face.basis import FaceBasis
from evp.face.head import find_neutral, fit_head
from evp.face.tracking import track_faces
from evp.media import read_speech
from evp.motion.expression import GAPS, ExpressionModel
from evp.motion.faces import learn_faces
from evp.motion.model import MotionModel
from evp.motion.travel import as_far
from evp.pipeline import emotion_space
from evp.portrait.bundle import Portrait
from evp.portrait.perform import perform

Faces = dict[str, NDArray[np.float64]]
"""Label -> (T, M + U) expression coefficients of a clip, the head's turn taken out."""

STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("speech", type=Path)
    parser.add_argument("portraits", type=Path, nargs="+")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    model = ExpressionModel.load()
    bench = Bench(arguments.corpus, read_speech(arguments.speech), model.basis)
    real = bench.actors()
    labels = [
        label for label in model.labels if label != NEUTRAL and all(label in actor for actor in real.values())
    ]
    portraits = {path.stem: Portrait.open(path) for path in arguments.portraits}
    report: dict[str, object] = {"labels": labels, "speech_seconds": len(bench.speech) / 16000}
    made = {name: bench.films(portrait, model, [*labels, NEUTRAL]) for name, portrait in portraits.items()}
    report["recognition"] = recognition(real, made, labels, model.basis)
    report["direction"] = {
        f"{actor}, not used in fitting, on {name}": direction(
            bench.films(portrait, bench.without(actor, model), [*labels, NEUTRAL]),
            real[actor],
            labels,
            model.basis,
        )
        for actor in real
        for name, portrait in list(portraits.items())[:1]
    }
    portrait = next(iter(portraits.values()))
    report["strength"] = bench.strengths(portrait, model, labels)
    report["straight line"] = bench.steps(portrait, model, real)
    report["lips"] = bench.lips(model, labels)
    print(json.dumps(report, indent=1))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(report, indent=1))


class Bench:
    """One speech, one corpus of actors."""

    def __init__(self, corpus: Path, speech: NDArray[np.floating], basis: FaceBasis) -> None:
        self.corpus, self.speech, self.basis = corpus, speech, basis
        self.space = emotion_space()
        self.voice = prosody(speech)
        self.mouth = MotionModel.load().predict(speech)

    def actors(self) -> dict[str, Faces]:
        """Speaker -> what the corpus shows."""
        found: dict[str, Faces] = {}
        for clip in Manifest.read(self.corpus).clips:
            if clip.filmed and clip.emotion is not None:
                with np.load(self.corpus / clip.file) as stored:
                    expression = self.basis.unturned(stored["coefficients"], stored["angles"])
                    found.setdefault(clip.speaker, {})[clip.emotion] = expression[stored["valid"]]
        return found

    def without(self, actor: str, model: ExpressionModel) -> ExpressionModel:
        """The faces learned from the other actors."""
        whole = Manifest.read(self.corpus)
        with tempfile.TemporaryDirectory() as folder:
            for clip in whole.clips:
                (Path(folder) / clip.file).symlink_to((self.corpus / clip.file).resolve())
            kept = tuple(clip for clip in whole.clips if clip.speaker != actor)
            replace(whole, clips=kept).write(Path(folder))
            return learn_faces(Path(folder), model)

    def film(self, portrait: Portrait, model: ExpressionModel, track: EmotionTrack) -> NDArray[np.float64]:
        """Expression coefficients of a film as tracked from its pixels."""
        mouths = as_far([self.mouth], portrait.reach.factor)
        motion = model.act(mouths, track, self.space, self.voice, widest=portrait.reach.widest)
        seen = track_faces(perform(portrait, motion))
        head = fit_head(self.basis, seen.landmarks[seen.valid], find_neutral(self.basis, portrait.landmarks))
        return self.basis.unturned(self.basis.coefficients(head.displacement), head.pose.angles())

    def films(self, portrait: Portrait, model: ExpressionModel, labels: list[str]) -> Faces:
        """One film for each label."""
        return {label: self.film(portrait, model, parse_track(label, self.space)) for label in labels}

    def strengths(
        self, portrait: Portrait, model: ExpressionModel, labels: list[str]
    ) -> dict[str, list[float]]:
        """Root mean square displacement (percent of face height) at every strength, tracked from the films."""
        calm = self.film(portrait, model, parse_track(NEUTRAL, self.space)).mean(axis=0)
        return {
            label: [
                self.size(
                    self.film(portrait, model, parse_track(f"{label}:{strength}", self.space)).mean(axis=0)
                    - calm
                )
                for strength in STRENGTHS
            ]
            for label in labels[:3]
        }

    def size(self, change: NDArray[np.float64]) -> float:
        """Root mean square displacement of a change of coefficients, percent of face height."""
        return round(100 * float(np.sqrt((self.basis.displacement(change[None]) ** 2).sum(axis=2).mean())), 3)

    def steps(
        self, portrait: Portrait, model: ExpressionModel, real: Mapping[str, Faces]
    ) -> dict[str, float]:
        """Largest step of any landmark from frame to frame on the way between two emotions, percent of face height."""
        seconds = len(self.speech) / 16000
        track = parse_track(f"0 happy, {seconds:.2f} angry", self.space, seconds + 0.01)
        steps = self._steps(self.film(portrait, model, track))
        footage = np.concatenate([self._steps(clip) for actor in real.values() for clip in actor.values()])
        return {
            "99th percentile of real footage": round(100 * float(np.percentile(footage, 99)), 3),
            "largest": round(100 * float(steps.max()), 3),
            "share above": round(float((steps > np.percentile(footage, 99)).mean()), 4),
        }

    def _steps(self, clip: NDArray[np.float64]) -> NDArray[np.floating]:
        return np.linalg.norm(np.diff(self.basis.displacement(clip), axis=0), axis=2).max(axis=1)

    def lips(self, model: ExpressionModel, labels: list[str]) -> dict[str, dict[str, float]]:
        """Opening of the lips with each emotion against without: correlation, and the gap where they were closed."""
        middle = GAPS[0]

        def opening(displacement: NDArray[np.floating]) -> NDArray[np.floating]:
            return displacement[:, middle[1], 1] - displacement[:, middle[0], 1]

        calm = opening(self.basis.displacement(self.mouth))
        closed = calm < 0.005
        result = {}
        for label in labels:
            motion = model.act([self.mouth], parse_track(label, self.space), self.space, self.voice)
            felt = opening(np.stack([frame.feeling.displacement for frame in motion if frame.feeling]))
            result[label] = {
                "correlation": round(float(np.corrcoef(calm, calm + felt)[0, 1]), 3),
                "gap added to closed lips, percent of face height": round(
                    100 * float(np.abs(felt[closed]).max()), 3
                ),
            }
        return result


def _vectors(faces: Faces, labels: list[str], basis: FaceBasis) -> NDArray[np.float64]:
    """(L, 478 * 3) mean displacement of every label from the same person's neutral."""
    calm = faces[NEUTRAL].mean(axis=0)
    moved = basis.displacement(np.stack([faces[label].mean(axis=0) - calm for label in labels]))
    return moved.reshape(len(labels), -1).astype(np.float64)


def _cosines(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> NDArray[np.float64]:
    return ours @ theirs.T / np.linalg.norm(ours, axis=1)[:, None] / np.linalg.norm(theirs, axis=1)[None]


def direction(made: Faces, real: Faces, labels: list[str], basis: FaceBasis) -> dict[str, object]:
    """Cosine with a real actor's displacement, as it is and with the mean over emotions subtracted."""
    ours, theirs = _vectors(made, labels, basis), _vectors(real, labels, basis)
    as_is = _cosines(ours, theirs)
    centred = _cosines(ours - ours.mean(axis=0), theirs - theirs.mean(axis=0))
    return {
        "cosine": round(float(as_is.diagonal().mean()), 3),
        "centred cosine": round(float(centred.diagonal().mean()), 3),
        "nearest to itself": int((centred.argmax(axis=1) == np.arange(len(labels))).sum()),
        "each": {
            label: [round(float(as_is[i, i]), 2), round(float(centred[i, i]), 2)]
            for i, label in enumerate(labels)
        },
    }


def recognition(
    real: Mapping[str, Faces], made: Mapping[str, Faces], labels: list[str], basis: FaceBasis
) -> dict[str, object]:
    """A nearest-mean classifier fitted on real clips only, on real clips of unseen actors and on generated ones.

    Clips are cut into thirds. A third's vector is its mean displacement from the person's neutral clip.
    """
    every = [*labels, NEUTRAL]

    def thirds(faces: Faces) -> list[tuple[str, NDArray[np.float64]]]:
        calm = faces[NEUTRAL].mean(axis=0)
        return [
            (label, basis.displacement(part.mean(axis=0)[None] - calm).ravel().astype(np.float64))
            for label in every
            for part in np.array_split(faces[label], 3)
        ]

    def named(train: list[Faces], tested: list[Faces]) -> tuple[list[str], list[str]]:
        known = [pair for faces in train for pair in thirds(faces)]
        means = np.stack(
            [np.mean([vector for label, vector in known if label == one], axis=0) for one in every]
        )
        unknown = [pair for faces in tested for pair in thirds(faces)]
        distances = [np.linalg.norm(means - vector, axis=1) for _, vector in unknown]
        return [label for label, _ in unknown], [every[int(np.argmin(distance))] for distance in distances]

    unseen = [named([f for a, f in real.items() if a != actor], [real[actor]]) for actor in real]
    tables = {
        "real clips of an actor not seen": sum(confusion(*answers, every) for answers in unseen),
        "generated": confusion(*named(list(real.values()), list(made.values())), every),
    }
    report: dict[str, object] = {"order": every}
    for name, matrix in tables.items():
        report[name] = {"recall": round(average_recall(matrix), 3), "confusion": matrix[:, :-1].tolist()}
    return report


if __name__ == "__main__":
    main()
