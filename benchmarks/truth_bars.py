"""Prints how truly the face of the actor is tracked: a built portrait against the parameters behind every frame.

    python benchmarks/truth_bars.py actor.mp4 truth.npz

Both come from tools/actor, and so does actor.frames.npy beside the film. Landmarks in pixels, less the constant offset
of every point between the two layouts (they mark a face by different conventions); turns in degrees against their
mean; movements as correlations.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evp.face.basis import FaceBasis
from evp.face.head import fit_head
from evp.face.layouts import LIDS_LEFT, LIDS_RIGHT, from_mesh, mouth_opening
from evp.face.tracking import track_faces
from evp.media import read_frames

PARTS = {
    "brows": slice(17, 27),
    "nose": slice(27, 36),
    "eyes": slice(36, 48),
    "mouth": slice(48, 68),
}
"""In the 68-point layout."""
TURNS = {"yaw": 1, "pitch": 0, "roll": 2}
"""In the order of `Pose.angles`, and which component of the true rotation vector each is."""


def correlation(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("film", type=Path)
    parser.add_argument("truth", type=Path)
    arguments = parser.parse_args()
    with np.load(arguments.truth) as stored:
        truth = {name: stored[name] for name in stored.files}
    names = truth["shape_names"].tolist()
    track = track_faces(read_frames(arguments.film))
    shown = np.load(arguments.film.with_suffix(".frames.npy"))
    seen = np.flatnonzero((shown >= 0) & track.valid)
    missed = int(((shown >= 0) & ~track.valid).sum())
    print(f"{len(seen)} frames tracked, {missed} missed, {int((shown < 0).sum())} slates")
    own, known = track.landmarks[seen], shown[seen]
    points = from_mesh(own, "ibug68")[..., :2]
    apart = points - truth["landmarks"][known]
    apart -= np.median(apart, axis=0)
    away = np.linalg.norm(apart, axis=-1)
    for part, where in PARTS.items():
        print(f"{part:6} off by {away[:, where].mean():.2f} pixels, nine in ten within "
              f"{np.quantile(away[:, where], 0.9):.2f}")  # fmt: skip
    head = fit_head(FaceBasis.load(), own)
    true_turn = np.degrees(truth["turn"][known])
    for axis, (name, component) in enumerate(TURNS.items()):
        made, true = head.pose.angles()[:, axis], true_turn[:, component]
        r = correlation(made, true)
        error = np.std((made - made.mean()) * np.sign(r) - (true - true.mean()))
        print(f"{name:5} r {abs(r):.3f}, off by {error:.2f} degrees (it moves by {np.std(true):.2f})")
    mesh = head.neutral + head.displacement
    gap = np.mean(
        [np.linalg.norm(mesh[:, a] - mesh[:, b], axis=1) for a, b in (LIDS_LEFT, LIDS_RIGHT)], axis=0
    )
    lips = np.linalg.norm(truth["landmarks"][known, 66] - truth["landmarks"][known, 62], axis=1)
    blink = truth["weights"][known][:, names.index("eyeBlink_L")]
    print(f"mouth opening r {correlation(mouth_opening(mesh), lips):.3f}")
    print(f"lids r {-correlation(gap, blink):.3f}")


if __name__ == "__main__":
    main()
