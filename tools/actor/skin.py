"""Paints the skin: colour, gloss, fine relief and wrinkles, as maps over the mesh's texture coordinates.

The face fills the left half of every map and the back of the head the right half. Everything is a function of where a
texel lies on the neutral head, so it follows the identity and shows no seam.
"""

from dataclasses import dataclass

import numpy as np
from mesh import Head
from regions import Array, Regions, noise, smoothstep
from scipy.interpolate import LinearNDInterpolator
from scipy.ndimage import gaussian_filter

WRINKLES = ("forehead", "glabella", "crow", "nasolabial", "nose", "chin")
"""Channels of the wrinkle maps: the first three, then the last three."""


@dataclass(frozen=True)
class SkinMaps:
    """Textures, bottom row first."""

    colour: Array
    """(height, width, 3) linear light"""
    gloss: Array
    """(height, width, 3): roughness, beard, lips"""
    relief: Array
    """(height, width) pores and fine lines, millimetres or so"""
    wrinkles: Array
    """(height, width, 6) relief of each kind of wrinkle at full strength, in WRINKLES order"""


def positions(head: Head, size: int) -> Array:
    """Where each texel lies on the neutral head: (size, 2 size, 3)."""
    vertex_of = np.full(len(head.uv), -1)
    shown = head.part("skin") | head.part("mouth_socket")
    corners = head.uv_faces[shown] >= 0
    vertex_of[head.uv_faces[shown][corners]] = head.faces[shown][corners]
    tiles = []
    for tile in (0, 1):
        skin = (vertex_of >= 0) & (vertex_of < 11248) & (np.floor(head.uv[:, 0]) == tile)
        across, up = np.meshgrid((np.arange(size) + 0.5) / size + tile, (np.arange(size) + 0.5) / size)
        at = head.neutral[vertex_of[skin]]
        tiles.append(LinearNDInterpolator(head.uv[skin], at, fill_value=0.0)(across, up))
    return np.concatenate(tiles, axis=1).astype(np.float32)


def srgb(*rgb: int) -> Array:
    """A colour as a painter mixes it (0..255 on a screen), in linear light."""
    return (np.array(rgb, np.float32) / 255) ** np.float32(2.2)


def _tint(colour: Array, target: Array, mask: Array) -> Array:
    mask = np.clip(mask, 0, 1)[..., None]
    return colour * (1 - mask) + target * mask


def _scale(colour: Array, factor: tuple[float, float, float], mask: Array) -> Array:
    return colour * (1 + np.clip(mask, 0, 1)[..., None] * (np.array(factor, np.float32) - 1))


def paint(head: Head, size: int = 1536, seed: int = 7) -> SkinMaps:
    """All the maps of one person."""
    points = positions(head, size)
    place = Regions(head.neutral[head.landmarks])
    random = np.random.default_rng(seed)
    white = random.standard_normal(points.shape[:2]).astype(np.float32)
    grain = gaussian_filter(white, 1.0) * 3.5
    pores = gaussian_filter(white, 1.6) - gaussian_filter(white, 3.2)
    pores = np.minimum(pores / pores.std(), 0.6)
    lips, beard, scalp = place.lips(points), place.beard(points), place.scalp(points, 1.4)
    return SkinMaps(
        colour=_colour(points, place, lips, beard, scalp, grain, random),
        gloss=np.stack([_roughness(points, place, lips, beard, grain) + 0.3 * scalp, beard, lips], -1),
        relief=_relief(points, lips, beard, pores, grain),
        wrinkles=_wrinkles(points, place),
    )


def _colour(
    points: Array,
    place: Regions,
    lips: Array,
    beard: Array,
    scalp: Array,
    grain: Array,
    random: np.random.Generator,
) -> Array:
    lm = place.landmarks
    colour = np.broadcast_to(srgb(208, 161, 134), points.shape).copy()
    mottle = 0.6 * noise(points, 1.6, 1) + 0.5 * noise(points, 0.6, 2) + 0.35 * noise(points, 0.25, 3)
    colour *= 1 + 0.08 * mottle[..., None] * np.array([0.5, 1.0, 1.1], np.float32)
    # Blood near the surface: cheeks, nose, chin, ears; sallow forehead; the lids thin and dark.
    cheek = place.both(points, (lm[45] + lm[54]) / 2 + np.array([1.0, 0.5, 0]), (2.3, 1.7))
    nose = place.blob(points, lm[30], (1.5, 1.1)) + 0.8 * place.both(points, lm[35], (0.9, 0.8))
    ear = (
        smoothstep(7.3, 8.3, np.abs(points[..., 0]))
        * smoothstep(5.5, 4.0, points[..., 1])
        * (points[..., 1] > -4)
    )
    red = (
        0.75 * cheek
        + 0.9 * nose
        + 0.8 * ear
        + 0.4 * place.blob(points, lm[8] + np.array([0, 0.7, 0]), (1.4, 0.8))
    )
    red *= 1 + 0.35 * noise(points, 0.8, 4)
    colour = _scale(colour, (1.0, 0.76, 0.74), red)
    colour = _scale(colour, (0.99, 0.99, 0.90), place.blob(points, lm[27] + np.array([0, 5.5, 0]), (5, 2.5)))
    eye = lm[42:48].mean(0)
    colour = _scale(
        colour, (0.86, 0.74, 0.74), 0.8 * place.both(points, eye + np.array([0, 0.75, 0]), (1.7, 0.5))
    )
    colour = _scale(
        colour, (0.84, 0.75, 0.80), 0.95 * place.both(points, eye + np.array([-0.4, -1.05, 0]), (1.5, 0.6))
    )
    mirrored = points * np.stack([np.sign(points[..., 0]), *[np.ones_like(points[..., 0])] * 2], -1)
    margin, _ = place.line(mirrored, lm[42:46, :2])
    colour = _scale(colour, (0.42, 0.30, 0.28), 0.8 * np.exp(-((margin / 0.13) ** 2)) * (points[..., 2] > 8))
    colour = _scale(
        colour, (0.90, 0.70, 0.68), 0.8 * place.both(points, lm[42] + np.array([-0.15, 0, 0]), (0.4, 0.4))
    )
    wing = place.both(points, lm[35] + np.array([0.35, 0.1, 0]), (0.35, 0.6))
    colour = _scale(colour, (0.9, 0.7, 0.68), 0.6 * wing)
    spots = noise(points, 0.22, 5) + 0.6 * noise(points, 0.5, 6)
    freckled = cheek + place.blob(points, lm[29], (1.2, 1.2)) + 0.35
    colour = _scale(
        colour, (0.86, 0.74, 0.66), smoothstep(0.75, 1.15, spots) * np.clip(freckled, 0, 1) * 0.55
    )
    for centre in lm[[54, 45, 13, 3]] + random.uniform(-1, 1, (4, 3)).astype(np.float32) * [0.8, 0.8, 0]:
        radius = float(random.uniform(0.07, 0.11))
        mole = smoothstep(1.2 * radius, 0.6 * radius, np.linalg.norm(points - centre, axis=-1))
        colour = _scale(colour, (0.45, 0.33, 0.28), mole * 0.8)
    colour *= 1 + 0.055 * grain[..., None]
    stubble = beard * (0.62 + 0.25 * np.clip(grain, -1.5, 1.5) + 0.2 * noise(points, 0.9, 8))
    colour = _tint(colour, srgb(92, 74, 66), 0.62 * stubble)
    colour = _tint(colour, srgb(70, 52, 42), 0.75 * scalp)
    folds = 0.75 + 0.25 * noise(points * [3.5, 0.6, 1], 0.45, 9)
    lip_colour = srgb(184, 124, 113) * (1 + 0.14 * (folds - 0.75)[..., None])
    seam = np.abs(points[..., 1] - lm[[60, 64], 1].mean())
    lip_colour = lip_colour * (1 - 0.25 * np.exp(-((seam / 0.25) ** 2)))[..., None]
    upper = smoothstep(0.0, 0.3, points[..., 1] - lm[[60, 64], 1].mean())
    lip_colour = lip_colour * (1 - 0.16 * upper)[..., None]
    return np.clip(_tint(colour, lip_colour, (0.72 + 0.12 * noise(points, 0.4, 10)) * lips), 0, 1).astype(
        np.float32
    )


def _roughness(points: Array, place: Regions, lips: Array, beard: Array, grain: Array) -> Array:
    lm = place.landmarks
    oily = place.blob(points, lm[29], (0.9, 2.0)) + 0.7 * place.blob(
        points, lm[27] + np.array([0, 3.0, 0]), (3.2, 1.8)
    )
    oily += 0.5 * place.both(points, lm[45] + np.array([0, -1.6, 0]), (1.6, 0.8))
    rough = 0.52 - 0.10 * np.clip(oily, 0, 1) + 0.06 * beard + 0.045 * grain + 0.04 * noise(points, 0.5, 21)
    return np.clip(rough * (1 - lips) + (0.36 + 0.05 * grain) * lips, 0.2, 0.9).astype(np.float32)


def _relief(points: Array, lips: Array, beard: Array, pores: Array, grain: Array) -> Array:
    creases = noise(points * [4.0, 0.5, 0.5], 0.5, 31) + 0.5 * noise(points * [5.0, 0.7, 0.5], 0.25, 32)
    skin = (
        0.016 * pores + 0.012 * noise(points, 0.2, 33) + 0.02 * noise(points, 0.55, 34) + 0.01 * beard * grain
    )
    return (skin * (1 - lips) + 0.03 * creases * lips).astype(np.float32)


def _fold(distance: Array, width: float) -> Array:
    """A crease with the skin bulging beside it."""
    bulge = np.exp(-(((distance - 1.9 * width) / (1.3 * width)) ** 2))
    return (-np.exp(-((distance / width) ** 2)) + 0.45 * bulge).astype(np.float32)


def _wrinkles(points: Array, place: Regions) -> Array:
    lm = place.landmarks
    brow = lm[19:25, 1].mean()
    wander = 0.12 * noise(points, 1.5, 41) + 0.05 * noise(points, 0.5, 42)
    bent = points + np.stack([wander, wander, np.zeros_like(wander)], -1)
    uneven = np.clip(0.8 + 0.45 * noise(points, 1.2, 43), 0.15, 1.3)
    front = smoothstep(4.0, 7.5, points[..., 2])
    total = {name: np.zeros(points.shape[:2], np.float32) for name in WRINKLES}

    def draw(
        name: str, knots: list[tuple[float, float]], width: float, depth: float, *, mirrored: bool = True
    ) -> None:
        for side in (1, -1) if mirrored else (1,):
            distance, along = place.line(bent, np.array(knots, np.float32) * [side, 1])
            ends = smoothstep(0.0, 0.22, along) * smoothstep(1.0, 0.78, along)
            total[name] += depth * uneven * ends * front * _fold(distance, width)

    for above, half, depth in ((1.25, 3.6, 0.8), (2.05, 4.4, 1.0), (2.85, 4.2, 0.9), (3.65, 3.2, 0.6)):
        sag = -0.25
        knots = [
            (x, brow + above + sag * np.cos(np.pi * x / half) * 0.8) for x in np.linspace(-half, half, 7)
        ]
        draw("forehead", knots, 0.11, depth, mirrored=False)
    nose = lm[27]
    draw(
        "glabella",
        [(0.62, nose[1] + 0.9), (0.5, nose[1] + 1.7), (0.62, nose[1] + 2.6), (0.9, nose[1] + 3.3)],
        0.11,
        1.1,
    )
    draw(
        "glabella",
        [(0.05, nose[1] + 1.2), (0.1, nose[1] + 1.9), (0.0, nose[1] + 2.5)],
        0.09,
        0.4,
        mirrored=False,
    )
    draw(
        "glabella",
        [(-0.9, nose[1] + 0.15), (0.0, nose[1] - 0.05), (0.9, nose[1] + 0.15)],
        0.1,
        0.7,
        mirrored=False,
    )
    corner = lm[45]
    for rise, out in ((0.75, 1.35), (0.3, 1.6), (-0.15, 1.6), (-0.6, 1.35)):
        start = (corner[0] + 0.42, corner[1] + 0.25 * rise)
        middle = (corner[0] + 0.42 + 0.5 * out, corner[1] + 0.7 * rise - 0.02)
        draw("crow", [start, middle, (corner[0] + 0.42 + out, corner[1] + 1.35 * rise - 0.15)], 0.085, 0.55)
    bag = [
        (corner[0] - 2.6, corner[1] - 0.75),
        (corner[0] - 1.5, corner[1] - 1.25),
        (corner[0] - 0.1, corner[1] - 0.95),
    ]
    draw("crow", bag, 0.09, 0.55)
    wing, mouth = lm[35], lm[54]
    cheek = [
        (wing[0] + 0.25, wing[1] + 0.75),
        (wing[0] + 0.75, wing[1] + 0.1),
        (mouth[0] + 0.35, mouth[1] + 1.3),
    ]
    draw(
        "nasolabial", [*cheek, (mouth[0] + 0.75, mouth[1] + 0.2), (mouth[0] + 0.7, mouth[1] - 0.7)], 0.21, 1.0
    )
    draw(
        "nasolabial",
        [
            (mouth[0] + 1.2, mouth[1] + 1.0),
            (mouth[0] + 1.5, mouth[1] + 0.1),
            (mouth[0] + 1.3, mouth[1] - 0.8),
        ],
        0.2,
        0.3,
    )
    for down, out in ((0.35, 0.75), (0.85, 0.95), (1.35, 1.05)):
        draw(
            "nose",
            [(0.35, nose[1] - down + 0.1), (out, nose[1] - down), (out + 0.45, nose[1] - down - 0.45)],
            0.075,
            0.7,
        )
    chin = lm[8]
    dimples = 0.7 * noise(points, 0.3, 44) + 0.5 * noise(points, 0.18, 45)
    total["chin"] += 0.8 * dimples * place.blob(points, chin + np.array([0, 1.0, 0]), (1.3, 0.9))
    draw(
        "chin",
        [(-1.3, chin[1] + 1.75), (0.0, chin[1] + 2.1), (1.3, chin[1] + 1.75)],
        0.14,
        0.7,
        mirrored=False,
    )
    draw(
        "chin",
        [
            (mouth[0] + 0.25, mouth[1] - 0.2),
            (mouth[0] + 0.5, mouth[1] - 0.9),
            (mouth[0] + 0.55, mouth[1] - 1.7),
        ],
        0.12,
        0.7,
    )
    return np.stack([total[name] for name in WRINKLES], -1).astype(np.float32)
