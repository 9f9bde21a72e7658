"""Fits a linear 3-D face to landmarks in a picture: who it is, how the face moves, and the head's pose.

The fit makes the energy smallest that docs/original.md writes down:

    E = sum over t, p of |s_t Pr R_t (mean_p + sum a_i shape_ip + sum b_tj expression_jp) + t_t - l_tp|^2 / sigma^2
        + |a|^2 + sum over t of |b_t|^2

with sigma a share of the face's size. It is least squares in (a, b_t, R_t, s_t, t_t): Levenberg-Marquardt, where every
frame's own unknowns are eliminated before the person's (Schur complement), because frames meet in the person alone.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.errors import InputError
from evp.face.pose import Pose
from evp.original.faces import LinearFace

NOISE = 0.01
"""sigma: how far landmarks are usually off, as a share of the face's size (their root mean square distance)."""
PERSON_FRAMES = 60
"""Frames, evenly spaced, that say who somebody is: more cost memory and say no more."""

_ROUNDS = 60
_ENOUGH = 1e-8
"""Relative decrease of the energy at which a fit ends."""
_BLOCK = 250
"""Frames fitted at once where they have nothing in common."""
_POSE = 6
"""Unknowns of a frame's pose: turn (3), logarithm of the scale, shift (2)."""


@dataclass(frozen=True)
class Fit:
    """A face in T frames: picture = pose.project(face.landmarks(shape, expression))."""

    shape: NDArray[np.float64]
    """(S,) who it is."""
    expression: NDArray[np.float64]
    """(T, E) how the face moves."""
    pose: Pose
    """Of T frames, in the picture's unit; depth has no shift."""


def fit_face(face: LinearFace, landmarks: NDArray[np.floating], noise: float = NOISE) -> Fit:
    """Fit ``face`` to the landmarks (T, P, 2) of one person in a picture, x right, y down, any unit.

    P is that of the face's layout: 106, 68 or 478 points. The person is told from at most ``PERSON_FRAMES`` frames.
    Raises InputError when the landmarks cannot be those of the layout.
    """
    seen = np.asarray(landmarks, np.float64)
    if seen.ndim != 3 or seen.shape[1:] != (len(face.mean), 2) or not len(seen):
        raise InputError(f"landmarks of the shape {seen.shape}, expected (frames, {len(face.mean)}, 2)")
    if not np.isfinite(seen).all():
        raise InputError("landmarks that are not finite numbers")
    if np.ptp(seen, axis=1).min() == 0:
        raise InputError("landmarks that lie on one line")
    if len(face.shape):
        some = np.linspace(0, len(seen) - 1, min(len(seen), PERSON_FRAMES)).round().astype(int)
        shape = _fit_block(face, seen[some], noise).shape
        return replace(fit_face(face.of_person(shape), seen, noise), shape=shape)
    blocks = [_fit_block(face, seen[k : k + _BLOCK], noise) for k in range(0, len(seen), _BLOCK)]
    pose = Pose(
        np.concatenate([block.pose.scale for block in blocks]),
        np.concatenate([block.pose.rotation for block in blocks]),
        np.concatenate([block.pose.shift for block in blocks]),
    )
    return Fit(blocks[0].shape, np.concatenate([block.expression for block in blocks]), pose)


def fit_weak_pose(points: NDArray[np.floating], picture: NDArray[np.floating]) -> Pose:
    """Nearly the poses that bring points (T or 1, P, 3) onto the picture's (T, P, 2); :func:`fit_face` refines them.

    The best affine map, then the nearest scaled rotation.
    """
    centre, goal = points.mean(axis=1), picture.mean(axis=1)
    spread = points - centre[:, None]
    moments = np.einsum("tpi,tpj->tij", spread, spread)
    mixed = np.einsum(
        "tpi,tpj->tij", picture - goal[:, None], np.broadcast_to(spread, (len(picture), *spread.shape[1:]))
    )
    affine = mixed @ np.linalg.inv(moments)
    u, scales, vt = np.linalg.svd(affine, full_matrices=False)
    rows = u @ vt
    rotation = np.concatenate([rows, np.cross(rows[:, 0], rows[:, 1])[:, None]], axis=1)
    scale = scales.mean(axis=1)
    turned = scale[:, None] * np.einsum("tij,tj->ti", rows, np.broadcast_to(centre, (len(picture), 3)))
    return Pose(scale, rotation, np.concatenate([goal - turned, np.zeros((len(goal), 1))], axis=1))


def _fit_block(face: LinearFace, seen: NDArray[np.float64], noise: float) -> Fit:
    size = np.sqrt(((seen - seen.mean(axis=1, keepdims=True)) ** 2).sum(axis=2).mean())
    precision = 1 / (noise * size) ** 2
    start = fit_weak_pose(face.mean[None], seen)
    fit = Fit(np.zeros(len(face.shape)), np.zeros((len(seen), len(face.expression))), start)
    energy, damping = _energy(face, fit, seen, precision), 1e-3
    for _ in range(_ROUNDS):
        step = _step(face, fit, seen, precision, damping)
        tried = _energy(face, step, seen, precision)
        if tried > energy:
            damping *= 10
            continue
        done = energy - tried < _ENOUGH * energy
        fit, energy, damping = step, tried, damping / 10
        if done:
            break
    return fit


def _off(face: LinearFace, fit: Fit, seen: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the fit's landmarks are off: (T, P, 2)."""
    return fit.pose.project(face.landmarks(fit.shape, fit.expression))[..., :2] - seen


def _energy(face: LinearFace, fit: Fit, seen: NDArray[np.float64], precision: float) -> float:
    off = _off(face, fit, seen)
    return float(precision * (off**2).sum() + (fit.shape**2).sum() + (fit.expression**2).sum())


def _derivatives(face: LinearFace, fit: Fit) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of every landmark's x and y, by its frame's unknowns (T, 2P, 6 + E) and by the person's (T, 2P, S)."""
    scaled = fit.pose.scale[:, None, None] * fit.pose.rotation
    turned = np.einsum("tij,tpj->tpi", scaled, face.landmarks(fit.shape, fit.expression))
    x, y, z = np.moveaxis(turned, 2, 0)
    none, one = np.zeros_like(x), np.ones_like(x)
    by_pose_x = np.stack([none, z, -y, x, one, none], axis=2)
    by_pose_y = np.stack([-z, none, x, y, none, one], axis=2)
    by_pose = np.stack([by_pose_x, by_pose_y], axis=2)
    by_expression = np.einsum("tij,epj->tpie", scaled[:, :2], face.expression)
    own = np.concatenate([by_pose, by_expression], axis=3)
    shared = np.einsum("tij,spj->tpis", scaled[:, :2], face.shape)
    rows = len(fit.pose), 2 * len(face.mean)
    return own.reshape(*rows, own.shape[3]), shared.reshape(*rows, shared.shape[3])


def _step(face: LinearFace, fit: Fit, seen: NDArray[np.float64], precision: float, damping: float) -> Fit:
    """One step of Levenberg-Marquardt."""
    own, shared = _derivatives(face, fit)
    flat = _off(face, fit, seen).reshape(len(seen), -1)
    prior = np.concatenate([np.zeros(_POSE), np.ones(len(face.expression))])
    known = np.concatenate([np.zeros((len(seen), _POSE)), fit.expression], axis=1)
    own_own = _damped(precision * own.transpose(0, 2, 1) @ own + np.diag(prior), damping)
    own_shared = precision * own.transpose(0, 2, 1) @ shared
    own_slope = precision * np.einsum("tni,tn->ti", own, flat) + known
    shared_shared = _damped(
        precision * np.einsum("tni,tnj->ij", shared, shared) + np.eye(len(fit.shape)), damping
    )
    shared_slope = precision * np.einsum("tni,tn->i", shared, flat) + fit.shape

    eliminated = np.linalg.solve(own_own, np.concatenate([own_shared, own_slope[..., None]], axis=2))
    through, alone = eliminated[..., :-1], eliminated[..., -1]
    person = np.linalg.solve(
        shared_shared - np.einsum("tis,tiu->su", own_shared, through),
        np.einsum("tis,ti->s", own_shared, alone) - shared_slope,
    )
    frame: NDArray[np.float64] = -alone - through @ person
    turn = rotation_matrices(frame[:, :3])
    pose = Pose(
        fit.pose.scale * np.exp(frame[:, 3]),
        turn @ fit.pose.rotation,
        fit.pose.shift + np.pad(frame[:, 4:_POSE], ((0, 0), (0, 1))),
    )
    return Fit(fit.shape + person, fit.expression + frame[:, _POSE:], pose)


def _damped(matrix: NDArray[np.float64], damping: float) -> NDArray[np.float64]:
    diagonal = np.diagonal(matrix, axis1=-2, axis2=-1)
    return matrix + damping * diagonal[..., None] * np.eye(matrix.shape[-1])


def rotation_matrices(turns: NDArray[np.floating]) -> NDArray[np.float64]:
    """Rotations (T, 3, 3) about axes (T, 3) by angles of their lengths, in radians (Rodrigues); 0 is the identity."""
    angle = np.linalg.norm(turns, axis=1)
    axis = turns / np.where(angle == 0, 1, angle)[:, None]
    x, y, z = axis.T
    none = np.zeros_like(x)
    across = np.stack([none, -z, y, z, none, -x, -y, x, none], axis=1).reshape(-1, 3, 3)
    sine, cosine = np.sin(angle)[:, None, None], np.cos(angle)[:, None, None]
    return np.eye(3) + sine * across + (1 - cosine) * across @ across


def rotation_turns(rotations: NDArray[np.floating]) -> NDArray[np.float64]:
    """Axes (T, 3) times angles, 0..pi, of rotations (T, 3, 3): the inverse of :func:`rotation_matrices`."""
    return np.array([cv2.Rodrigues(rotation)[0][:, 0] for rotation in rotations]).reshape(-1, 3)
