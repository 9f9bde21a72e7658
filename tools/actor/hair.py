"""Grows hair as strands of points: the haircut on the skull; brows, stubble and lashes that ride on the moving skin."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from mesh import LASH_CARDS, Head
from numpy.typing import NDArray
from regions import Array, Regions, noise, smoothstep, spline
from scipy.spatial import Delaunay, cKDTree


def _unit(vectors: Array) -> Array:
    return (vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)).astype(np.float32)


@dataclass(frozen=True)
class Roots:
    """Points on the skin that stay where they are on it while it deforms."""

    triangles: NDArray[np.int64]
    """(roots, 3) vertices"""
    barycentric: Array
    """(roots, 3)"""

    def points(self, vertices: Array) -> Array:
        """(roots, 3)"""
        return np.einsum("rk,rkc->rc", self.barycentric, vertices[self.triangles])

    def frames(self, vertices: Array) -> Array:
        """(roots, 3, 3): rows are two directions along the skin and its outward normal."""
        a, b, c = np.moveaxis(vertices[self.triangles], 1, 0)
        first = _unit(b - a)
        normal = _unit(np.cross(b - a, c - a))
        return np.stack([first, np.cross(normal, first), normal], 1)


def scatter(head: Head, density: Callable[[Array], Array], count: int, seed: int) -> Roots:
    """About `count` roots where `density` of a point (0..1) is high."""
    random = np.random.default_rng(seed)
    faces = head.faces[head.part("skin")]
    quads = faces[faces[:, 3] >= 0]
    triangles = np.concatenate([faces[:, :3], quads[:, [0, 2, 3]]]).astype(np.int64)
    corners = head.neutral[triangles]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    expected = area * density(corners.mean(1))
    expected *= count / expected.sum()
    chosen = np.repeat(np.arange(len(triangles)), random.poisson(expected * 1.3))
    split = np.sort(random.random((len(chosen), 2)), axis=1)
    weights = np.stack([split[:, 0], split[:, 1] - split[:, 0], 1 - split[:, 1]], 1).astype(np.float32)
    roots = Roots(triangles[chosen], weights)
    keep = random.random(len(chosen)) < density(roots.points(head.neutral)) / 1.3 / np.maximum(
        density(corners.mean(1))[chosen], 0.3
    )
    return Roots(roots.triangles[keep], roots.barycentric[keep])


@dataclass(frozen=True)
class RidingHair:
    """Strands fixed to moving skin."""

    roots: Roots
    offsets: Array
    """(strands, points, 3) from the root, in the root's frame"""

    def strands(self, vertices: Array) -> Array:
        """(strands, points, 3) on the deformed mesh."""
        bent = np.einsum("spk,skc->spc", self.offsets, self.roots.frames(vertices))
        return (self.roots.points(vertices)[:, None] + bent).astype(np.float32)


@dataclass(frozen=True)
class Lashes:
    """Strands laid on the download's lash cards, which already know how to blink."""

    corners: NDArray[np.int64]
    """(strands, points, 3) vertices"""
    barycentric: Array
    """(strands, points, 3)"""

    def strands(self, vertices: Array) -> Array:
        """(strands, points, 3) on the deformed mesh."""
        return np.einsum("spk,spkc->spc", self.barycentric, vertices[self.corners]).astype(np.float32)


def lashes(head: Head, seed: int = 3) -> Lashes:
    """Upper and lower lashes of both eyes."""
    random = np.random.default_rng(seed)
    in_cards = head.faces[:, 0] >= LASH_CARDS[0].start
    uv_of = dict(
        zip(head.faces[in_cards].ravel().tolist(), head.uv_faces[in_cards].ravel().tolist(), strict=True)
    )
    corners, weights = [], []
    for number, card in enumerate(LASH_CARDS):
        vertices = np.array([v for v in range(card.start, card.stop) if v in uv_of])
        uv = head.uv[[uv_of[v] for v in vertices]]
        eye = head.eye_centre(left=head.neutral[vertices, 0].mean() > 0)
        distance = np.linalg.norm(head.neutral[vertices] - eye, axis=1)
        rising = np.corrcoef(uv[:, 1], distance)[0, 1] > 0
        upper = number % 6 < 3
        count = 34 if upper else 16
        low, high = uv.min(0), uv.max(0)
        along = np.linspace(0.04, 0.96, count) + random.normal(0, 0.008, count)
        reach = (0.72 if upper else 0.5) * random.uniform(0.75, 1.1, count)
        steps = np.linspace(0.0, 1.0, 5)
        lean = random.normal(0, 0.014, count)
        across = along[:, None] + lean[:, None] * steps**2
        out = np.clip(reach[:, None] * steps, 0.01, 0.99)
        spots = np.stack([across, out if rising else 1 - out], -1) * (high - low) + low
        mesh = Delaunay(uv)
        simplex = mesh.find_simplex(spots.reshape(-1, 2)).reshape(count, 5)
        good = (simplex >= 0).all(1)
        simplex, spots = simplex[good], spots[good]
        transform = mesh.transform[simplex]
        two = np.einsum("spij,spj->spi", transform[..., :2, :], spots - transform[..., 2, :])
        weights.append(np.concatenate([two, 1 - two.sum(-1, keepdims=True)], -1))
        corners.append(vertices[mesh.simplices[simplex]])
    return Lashes(np.concatenate(corners), np.concatenate(weights).astype(np.float32))


def brows(head: Head, count: int = 1200, seed: int = 4) -> RidingHair:
    """Both eyebrows."""
    place = Regions(head.neutral[head.landmarks])
    middle = spline(
        place.landmarks[22:27, :2] + np.array([(-0.15, -0.8), (0, -0.85), (0, -0.8), (0, -0.7), (0.1, -0.6)])
    )
    tree = cKDTree(middle)

    def locate(points: Array) -> tuple[Array, Array, Array]:
        mirrored = points[..., :2] * np.stack([np.sign(points[..., 0]), np.ones_like(points[..., 0])], -1)
        distance, index = tree.query(mirrored)
        side = np.sign(mirrored[..., 1] - middle[index, 1])
        return distance * side, index / (len(middle) - 1), distance

    def density(points: Array) -> Array:
        _, along, distance = locate(points)
        half = np.interp(along, (0, 0.12, 0.5, 0.8, 1), (0.30, 0.44, 0.42, 0.30, 0.12))
        thick = smoothstep(1.35, 0.3, (distance / half).astype(np.float32))
        ends = np.interp(along, (0, 0.01, 0.15, 0.9, 1), (0.0, 0.45, 1, 0.9, 0.25))
        return (thick * ends * (points[..., 2] > 3) * (0.7 + 0.5 * noise(points, 0.3, 51))).astype(np.float32)

    roots = scatter(head, density, count, seed)
    at = roots.points(head.neutral)
    height, along, _ = locate(at)
    random = np.random.default_rng(seed + 1)
    angle = np.interp(along, (0, 0.15, 0.45, 1), (60, 44, 20, -22)) - 55 * np.clip(height, -0.35, 0.35)
    angle = np.radians(angle + random.normal(0, 14, len(at)))
    flow = np.stack([np.cos(angle) * np.sign(at[:, 0]), np.sin(angle), np.zeros_like(angle)], -1)
    length = np.interp(along, (0, 0.2, 0.7, 1), (0.55, 0.8, 0.75, 0.5)) * random.uniform(0.6, 1.1, len(at))
    return _laid(head, roots, flow.astype(np.float32), length, lift=0.28, bend=-0.3)


def stubble(head: Head, count: int = 9000, seed: int = 5) -> RidingHair:
    """A few days of beard."""
    place = Regions(head.neutral[head.landmarks])
    roots = scatter(head, lambda p: place.beard(p) * (0.8 + 0.3 * noise(p, 0.7, 52)), count, seed)
    random = np.random.default_rng(seed + 1)
    down = np.array([0.0, -1.0, -0.1], np.float32) + random.normal(0, 0.35, (len(roots.triangles), 3)).astype(
        np.float32
    )
    length = random.uniform(0.10, 0.24, len(roots.triangles))
    return _laid(head, roots, down, length, lift=0.75, bend=-0.2)


def _laid(
    head: Head, roots: Roots, flow: Array, length: Array, lift: float, bend: float, points: int = 4
) -> RidingHair:
    """Strands that leave the skin at an angle and bend towards it."""
    frames = roots.frames(head.neutral)
    local = np.einsum("skc,sc->sk", frames, flow)
    local[:, 2] = 0
    local = _unit(local)
    steps = np.linspace(0, 1, points, dtype=np.float32)[None, :, None]
    normal = np.array([0, 0, 1], np.float32)
    path = steps * local[:, None] + (lift * steps + bend * lift * steps**2) * normal + 0.004 * normal
    return RidingHair(roots, (path * length[:, None, None]).astype(np.float32))


def haircut(head: Head, count: int = 24000, points: int = 9, seed: int = 6) -> tuple[Array, Array]:
    """A short side-swept cut, still in the neutral head: strands (strands, points, 3), thickness (strands, points)."""
    place = Regions(head.neutral[head.landmarks])
    brow = place.landmarks[19:25, 1].mean()

    def grows(p: Array) -> Array:
        ears = (np.abs(p[..., 0]) > 7.6) & (p[..., 1] < brow - 0.5) & (p[..., 2] > -2.6)
        return place.scalp(p, 0.9) * ~ears * smoothstep(-9.5, -7.0, p[..., 1])

    roots = scatter(head, grows, count, seed)
    at, up = roots.points(head.neutral), roots.frames(head.neutral)[:, 2]
    random = np.random.default_rng(seed + 1)
    skin = cKDTree(at)

    top = smoothstep(brow + 3.2, brow + 6.0, at[:, 1])
    crown = smoothstep(2.0, -5.0, at[:, 2])
    edge = place.scalp(at, 2.6)
    length = (
        (0.75 + 3.3 * top * (1 - 0.45 * crown))
        * (0.45 + 0.55 * edge)
        * (1 + 0.3 * noise(at, 1.3, 58))
        * random.uniform(0.65, 1.1, len(at))
    )
    sweep = -0.12 + 0.68 * np.tanh((at[:, 0] - 3.6 + 0.8 * noise(at, 1.5, 59)) / 1.3)
    swept = np.stack([sweep, np.full(len(at), 0.15), np.full(len(at), -0.55)], -1)
    sides = np.stack([0.05 * np.sign(at[:, 0]), np.full(len(at), -0.85), np.full(len(at), -0.45)], -1)
    comb = swept * top[:, None] + sides * (1 - top[:, None])
    comb += np.stack([0.30 * noise(at, 2.2, 60 + k) + 0.25 * noise(at, 0.8, 63 + k) for k in range(3)], -1)
    comb += random.normal(0, 0.16, comb.shape)

    lift = 0.5 + 0.6 * top * smoothstep(3.0, 7.5, at[:, 2])
    strand = [at - 0.05 * up]
    here, normal = strand[0], up
    step = (length / (points - 1))[:, None]
    for k in range(points - 1):
        t = k / (points - 2)
        along = _unit(comb - normal * (comb * normal).sum(1, keepdims=True))
        bend = lift[:, None] * (1 - 1.15 * t) * normal
        here = here + step * _unit(along + bend)
        nearest = skin.query(here)[1]
        normal = up[nearest]
        above = ((here - at[nearest]) * normal).sum(1)
        clear = 0.06 + 0.25 * top * t
        here = here + np.maximum(clear - above, 0)[:, None] * normal
        strand.append(here)
    strands = _clumped(np.stack(strand, 1), random)
    taper = np.linspace(1.0, 0.35, points)
    thickness = 0.011 * random.uniform(0.7, 1.15, len(at))[:, None] * (0.55 + 0.45 * edge)[:, None] * taper
    return strands.astype(np.float32), thickness.astype(np.float32)


def _clumped(strands: Array, random: np.random.Generator, per_clump: int = 26) -> Array:
    """Strands pulled together towards their tips, as combed hair is."""
    leaders = random.choice(len(strands), len(strands) // per_clump, replace=False)
    leader = leaders[cKDTree(strands[leaders, 0]).query(strands[:, 0])[1]]
    t = np.linspace(0, 1, strands.shape[1])[None, :, None]
    apart = (strands[:, :1] - strands[leader, :1]) * (1 - 0.75 * t)
    pull = 0.75 * t**1.3 * random.uniform(0.3, 1.0, (len(strands), 1, 1))
    return strands + pull * (strands[leader] + apart - strands)
