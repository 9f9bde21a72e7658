"""What the actor does in every frame: speech, emotions, blinks, gaze and head motion, as ARKit-style weights.

Deterministic, and numpy alone: the same script and seed give the same performance everywhere.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

FRAME_RATE = 25
SCRIPT = Path(__file__).with_name("script.txt")

EMOTIONS: dict[str, dict[str, float]] = {
    "neutral": {},
    "calm": {"mouthSmile": 0.24, "eyeBlink": 0.16, "browInnerUp": 0.10, "mouthDimple": 0.08},
    "happy": {
        "mouthSmile": 0.80,
        "cheekSquint": 0.65,
        "cheekRaiser": 0.55,
        "eyeSquint": 0.25,
        "mouthUpperUp": 0.22,
        "mouthDimple": 0.15,
        "browOuterUp": 0.12,
    },
    "surprised": {
        "browInnerUp": 0.85,
        "browOuterUp": 0.95,
        "eyeWide": 0.75,
        "jawOpen": 0.24,
        "mouthFunnel": 0.12,
    },
    "sad": {
        "browInnerUp": 0.95,
        "browDown": 0.22,
        "mouthFrown": 0.55,
        "mouthShrugLower": 0.34,
        "eyeSquint": 0.20,
        "eyeBlink": 0.10,
        "cheekSquint": 0.15,
    },
    "angry": {
        "browDown": 1.00,
        "eyeWide": 0.35,
        "eyeSquint": 0.45,
        "noseSneer": 0.35,
        "mouthPress": 0.40,
        "mouthFrown": 0.25,
        "jawForward": 0.20,
        "mouthUpperUp": 0.18,
        "mouthLowerDown": 0.15,
    },
    "fear": {
        "browInnerUp": 0.90,
        "browOuterUp": 0.40,
        "browDown": 0.30,
        "eyeWide": 0.90,
        "mouthStretch": 0.70,
        "mouthLowerDown": 0.22,
        "jawOpen": 0.10,
        "mouthFrown": 0.15,
    },
    "disgusted": {
        "noseSneer": 0.95,
        "mouthUpperUp": 0.50,
        "mouthShrugLower": 0.35,
        "mouthFrown": 0.35,
        "browDown": 0.45,
        "eyeSquint": 0.50,
        "cheekSquint": 0.40,
    },
    "contempt": {
        "mouthSmile_L": 0.50,
        "mouthDimple_L": 0.75,
        "cheekSquint_L": 0.30,
        "mouthUpperUp_L": 0.18,
        "mouthPress_R": 0.15,
        "eyeBlink": 0.13,
        "browOuterUp_R": 0.25,
        "browDown_L": 0.15,
    },
}
"""Each emotion's apex at full strength, after the Facial Action Coding System. A name without side means both."""

REST = {
    "mouthSmile": 0.22,
    "mouthDimple": 0.10,
    "eyeWide": 0.10,
    "mouthRollUpper": 0.08,
    "mouthRollLower": 0.05,
}
"""The friendly face that the actor has when nothing is said or felt."""

HEAD: dict[str, tuple[float, float, float]] = {
    "calm": (0.5, 0.0, 1.5),
    "happy": (-1.0, 1.5, 2.0),
    "surprised": (-3.0, 0.0, 0.0),
    "sad": (4.5, -2.0, -3.0),
    "angry": (4.0, 1.0, 0.5),
    "fear": (-1.5, -3.0, 1.0),
    "disgusted": (-1.5, 3.5, -2.0),
    "contempt": (-3.5, -3.0, 2.5),
}
"""How an emotion holds the head at full strength: degrees down, to the actor's left, tilted to the right."""

_WIDE = {"mouthLowerDown": 0.34, "mouthUpperUp": 0.20, "mouthStretch": 0.14}
VISEMES: dict[str, dict[str, float]] = {
    "pau": {},
    "m b p": {"mouthPress": 0.38, "mouthRollLower": 0.22, "mouthRollUpper": 0.16},
    "f v": {"mouthRollLower": 0.50, "mouthUpperUp": 0.34, "jawOpen": 0.05},
    "th dh": {"jawOpen": 0.14, "mouthLowerDown": 0.32, "mouthUpperUp": 0.12},
    "t d n l": {"jawOpen": 0.13, **_WIDE},
    "s z": {"jawOpen": 0.06, "mouthLowerDown": 0.42, "mouthUpperUp": 0.24, "mouthStretch": 0.24},
    "sh ch jh zh": {"mouthFunnel": 0.58, "jawOpen": 0.08, "mouthLowerDown": 0.22, "mouthUpperUp": 0.18},
    "k g ng hh": {"jawOpen": 0.20, "mouthLowerDown": 0.22, "mouthUpperUp": 0.10},
    "r er": {"mouthFunnel": 0.38, "mouthPucker": 0.22, "jawOpen": 0.14, "mouthLowerDown": 0.12},
    "w uw": {"mouthPucker": 0.72, "mouthFunnel": 0.24, "jawOpen": 0.09},
    "uh": {"mouthPucker": 0.35, "mouthFunnel": 0.25, "jawOpen": 0.18},
    "ow ao oy": {"mouthFunnel": 0.46, "mouthPucker": 0.30, "jawOpen": 0.34},
    "aa aw ay": {"jawOpen": 0.52, "mouthLowerDown": 0.26, "mouthUpperUp": 0.12},
    "ah ax": {"jawOpen": 0.32, "mouthLowerDown": 0.24, "mouthUpperUp": 0.10},
    "ae": {
        "jawOpen": 0.44,
        "mouthStretch": 0.24,
        "mouthSmile": 0.10,
        "mouthLowerDown": 0.34,
        "mouthUpperUp": 0.20,
    },
    "eh": {"jawOpen": 0.34, "mouthStretch": 0.22, "mouthLowerDown": 0.32, "mouthUpperUp": 0.16},
    "ih ey": {
        "jawOpen": 0.22,
        "mouthStretch": 0.28,
        "mouthSmile": 0.12,
        "mouthLowerDown": 0.32,
        "mouthUpperUp": 0.16,
    },
    "iy y": {
        "jawOpen": 0.12,
        "mouthStretch": 0.34,
        "mouthSmile": 0.20,
        "mouthLowerDown": 0.34,
        "mouthUpperUp": 0.18,
    },
}
"""Mouth of each phone (ARPAbet)."""
GLIDES = {"aw": "w", "ay": "iy", "ey": "iy", "oy": "iy", "ow": "w"}
"""Where a diphthong ends."""
VOWELS = frozenset(
    ["aa", "ae", "ah", "ao", "aw", "ax", "ay", "eh", "er", "ey", "ih", "iy", "ow", "oy", "uh", "uw"]
)
INERTIA = np.hanning(9) / np.hanning(9).sum()
"""The mouth's own weight: how it spreads a movement over frames."""
OPENERS = (
    "jawOpen",
    "mouthUpperUp",
    "mouthLowerDown",
    "mouthStretch",
    "mouthFunnel",
    "mouthSmile",
    "noseSneer",
)
"""Shapes that part the lips, held back while m, b or p keeps them closed."""


@dataclass(frozen=True)
class Line:
    """One sentence of the script."""

    emotion: str
    strength: tuple[float, float]
    """in the first half of the line, and in the second"""
    text: str
    phones: tuple[tuple[str, float], ...]
    """name and the second it ends"""


@dataclass(frozen=True)
class Performance:
    """Every frame of the footage, 25 a second."""

    shape_names: tuple[str, ...]
    weights: Array
    """(frames, shapes), 0..1"""
    turn: Array
    """(frames, 3) rotation vector of the head, radians; axes x to the actor's left, y up, z out of the face"""
    shift: Array
    """(frames, 3) centimetres, same axes"""
    gaze: Array
    """(frames, 2, 2) left and right eye in the head: radians to the actor's left, and up"""
    emotion: NDArray[np.str_]
    """(frames,)"""
    strength: Array
    """(frames,) 0..1, onset and fading included"""
    phone: NDArray[np.str_]
    """(frames,)"""
    take: NDArray[np.int64]
    """(frames,) number of the shot: 0 is all that is neutral, then one for every line"""

    def __len__(self) -> int:
        return len(self.weights)


def read_script(path: Path = SCRIPT) -> list[Line]:
    """The lines of a script: emotion and two strengths | text | phone:end ..."""
    lines = []
    for row in path.read_text().splitlines():
        if row.startswith("#") or not row.strip():
            continue
        mood, text, timed = (part.strip() for part in row.split("|"))
        emotion, first, second = mood.split()
        phones = tuple((name, float(end)) for name, end in (phone.split(":") for phone in timed.split()))
        lines.append(Line(emotion, (float(first), float(second)), text, phones))
    return lines


def _both(name: str, shape_names: tuple[str, ...]) -> list[int]:
    found = [k for k, shape in enumerate(shape_names) if shape in (name, f"{name}_L", f"{name}_R")]
    if not found:
        raise KeyError(f"the head has no shape {name}")
    return found


def _vector(shape: dict[str, float], shape_names: tuple[str, ...]) -> Array:
    row = np.zeros(len(shape_names), np.float32)
    for name, weight in shape.items():
        row[_both(name, shape_names)] += weight
    return row


def _speech(
    lines: list[Line], frames: int, shape_names: tuple[str, ...]
) -> tuple[Array, Array, NDArray[np.str_]]:
    """Mouth weights (frames, shapes) by blending overlapping phones, how closed the lips are kept, and the phones."""
    vectors = {phones: _vector(shape, shape_names) for phones, shape in VISEMES.items()}
    mouths = {phone: vector for phones, vector in vectors.items() for phone in phones.split()}
    time = (np.arange(frames) + 0.5) / FRAME_RATE
    pull, total = np.zeros((frames, len(shape_names))), np.full(frames, 1e-6)
    closed = np.zeros(frames)
    names = np.full(frames, "pau", dtype="<U4")
    start = 0.0
    for line in lines:
        begun = start
        for phone, end in line.phones:
            finish = begun + end
            names[(time >= start) & (time < finish)] = phone
            parts = [(mouths[phone], start, finish)]
            if phone in GLIDES:
                turn = start + 0.55 * (finish - start)
                parts = [(mouths[phone], start, turn), (mouths[GLIDES[phone]], turn, finish)]
            for shape, first, last in parts:
                reach = max(last - first, 0.05) * 0.42 + 0.018
                near = np.exp(-(((time - (first + last) / 2) / reach) ** 2))
                near *= 1.6 if phone in ("m", "b", "p", "f", "v") else 1.0
                pull += near[:, None] * shape
                total += near
            if phone in ("m", "b", "p"):
                outside = np.maximum(np.maximum(start - time, time - finish), 0)
                closed = np.maximum(closed, np.exp(-((outside / 0.055) ** 2)))
            start = finish
    mouth = pull / total[:, None]
    mouth = np.stack([np.convolve(track, INERTIA, "same") for track in mouth.T], 1)
    return mouth.astype(np.float32), closed.astype(np.float32), names


def _moods(lines: list[Line], frames: int) -> tuple[NDArray[np.str_], Array]:
    """Emotion and its strength per frame, with onset before the words and fading after."""
    time = (np.arange(frames) + 0.5) / FRAME_RATE
    emotion = np.full(frames, "neutral", dtype="<U9")
    strength = np.zeros(frames, np.float32)
    start = 0.0
    for line in lines:
        finish = start + line.phones[-1][1]
        here = (time >= start) & (time < finish)
        rise = np.clip((time - start) / 0.36, 0, 1)
        fall = np.clip((finish - time) / 0.32, 0, 1)
        swell = np.clip((time - start) / (finish - start) * 4 - 1.5, 0, 1)
        first, second = line.strength
        level = first + (second - first) * _eased(swell)
        emotion[here] = line.emotion
        strength[here] = (level * _eased(rise) * _eased(fall))[here]
        start = finish
    return emotion, strength


def _eased(share: NDArray) -> NDArray:
    """0..1 -> 0..1 with no speed at either end."""
    return share * share * (3 - 2 * share)


def _takes(lines: list[Line], frames: int) -> NDArray[np.int64]:
    """(frames,) which shot every frame belongs to."""
    ends = np.cumsum([line.phones[-1][1] for line in lines])
    line = np.searchsorted(ends, (np.arange(frames) + 0.5) / FRAME_RATE)
    number = np.cumsum([0 if line.emotion == "neutral" else 1 for line in lines])
    return number[np.minimum(line, len(lines) - 1)]


def _drift(frames: int, seconds: float, random: np.random.Generator) -> Array:
    """Slow smooth noise of unit size (frames,)."""
    size = int(seconds * FRAME_RATE)
    kernel = np.hanning(2 * size + 1)
    raw = random.standard_normal(frames + 2 * size)
    return (np.convolve(raw, kernel / np.sqrt((kernel**2).sum()), "valid")).astype(np.float32)


def _blinks(frames: int, random: np.random.Generator) -> Array:
    """How closed each lid is by blinking (frames, 2), 0..1: quick down, slower up, the two eyes not quite together."""
    time = np.arange(frames, dtype=np.float32)
    lids = np.zeros((frames, 2), np.float32)
    at = 1.3 * FRAME_RATE
    while at < frames - 8:
        for eye, late in enumerate((0.0, random.uniform(-0.35, 0.35))):
            since = time - at - late
            down = np.clip((since + 2.6) / 2.2, 0, 1)
            up = np.clip(1 - (since - 0.8) / 3.8, 0, 1)
            lids[:, eye] = np.maximum(lids[:, eye], np.minimum(down, up * up * (3 - 2 * up)))
        at += random.uniform(2.3, 4.3) * FRAME_RATE
    return lids


def _looking(frames: int, random: np.random.Generator) -> Array:
    """Where the actor looks in the room (frames, 2) degrees to the left and up of the camera: rests and quick jumps."""
    look = np.zeros((frames, 2), np.float32)
    frame, here = 0, np.zeros(2)
    while frame < frames:
        away = random.random() < 0.33
        there = random.uniform((-9, -6), (9, 4)) if away else random.uniform(-0.7, 0.7, 2)
        rest = int(random.uniform(0.35, 0.9) * FRAME_RATE if away else random.uniform(0.7, 2.4) * FRAME_RATE)
        look[frame : frame + rest + 2] = there
        look[frame : frame + 1] = here + 0.55 * (there - here)
        frame, here = frame + rest + 2, there
    return look + 0.12 * random.standard_normal(look.shape).astype(np.float32)


def perform(shape_names: tuple[str, ...], lines: list[Line] | None = None, seed: int = 20) -> Performance:
    """The whole performance of a script (by default the one beside this file)."""
    lines = read_script() if lines is None else lines
    random = np.random.default_rng(seed)
    frames = round(sum(line.phones[-1][1] for line in lines) * FRAME_RATE)
    mouth, closed, phone = _speech(lines, frames, shape_names)
    emotion, strength = _moods(lines, frames)
    apexes = {name: _vector(shape, shape_names) for name, shape in EMOTIONS.items()}
    apex = np.stack([apexes[name] for name in emotion])
    weights = 1.05 * mouth + strength[:, None] * apex + _vector(REST, shape_names)

    vowel = np.isin(phone, list(VOWELS)).astype(np.float32)
    beat = np.convolve(vowel, np.hanning(9) / np.hanning(9).sum(), "same")
    accent = np.clip(_drift(frames, 0.5, random), 0, 2) * beat
    for name, amount in (("browInnerUp", 0.16), ("browOuterUp", 0.12)):
        weights[:, _both(name, shape_names)] += amount * accent[:, None]
    for name, amount in (
        ("mouthDimple", 0.05),
        ("browDown", 0.05),
        ("cheekSquint", 0.05),
        ("mouthShrugLower", 0.06),
    ):
        for index in _both(name, shape_names):
            weights[:, index] += amount * np.clip(_drift(frames, 0.9, random), 0, 2)

    for name in OPENERS:
        part = _both(name, shape_names)
        hold = 0.35 if name in ("mouthSmile", "mouthStretch") else 0.95
        weights[:, part] *= (1 - hold * closed)[:, None]
    for name in ("mouthPress", "mouthRollLower", "mouthRollUpper"):
        part = _both(name, shape_names)
        limit = 0.5 * (1 - 1.6 * np.clip(weights[:, _both("jawOpen", shape_names)[0]], 0, 0.6))
        weights[:, part] = np.minimum(weights[:, part], np.maximum(limit, 0)[:, None])

    posture = np.stack([np.array(HEAD.get(name, (0, 0, 0))) for name in emotion]) * strength[:, None]
    posture = np.stack(
        [np.convolve(np.pad(p, 8, mode="edge"), np.hanning(17) / 8, "valid") for p in posture.T], 1
    )
    degrees = np.stack(
        [_drift(frames, 1.1, random), _drift(frames, 1.4, random), _drift(frames, 1.6, random)], 1
    )
    degrees = np.clip(degrees, -2, 2) * (1.1, 2.1, 0.9) + posture
    degrees[:, 0] += 1.3 * np.clip(beat * (0.6 + accent), 0, 1.5)
    turn = np.radians(degrees * (1, 1, 1)).astype(np.float32)
    shift = np.stack(
        [
            0.35 * _drift(frames, 1.6, random),
            0.12 * _drift(frames, 1.6, random),
            0.3 * _drift(frames, 1.8, random),
        ],
        1,
    )

    look = np.radians(_looking(frames, random))
    aim = np.stack([look[:, 0] - turn[:, 1], look[:, 1] + turn[:, 0]], 1)
    converge = np.radians(2.0)
    gaze = np.stack([aim - [converge, 0], aim + [converge, 0]], 1)
    gaze = np.clip(gaze, np.radians(-24), np.radians(24))
    _lids(weights, gaze, _blinks(frames, random), shape_names)
    return Performance(
        shape_names=shape_names,
        weights=np.clip(weights, 0, 1).astype(np.float32),
        turn=turn,
        shift=shift.astype(np.float32),
        gaze=gaze.astype(np.float32),
        emotion=emotion,
        strength=strength,
        phone=phone,
        take=_takes(lines, frames),
    )


def _lids(weights: NDArray, gaze: NDArray, blinks: Array, shape_names: tuple[str, ...]) -> None:
    """Let the lids follow the gaze, and a blink win over whatever else moves them; changes `weights`."""
    for eye, side in enumerate("LR"):
        index = {
            name: shape_names.index(f"{name}_{side}")
            for name in ("eyeBlink", "eyeWide", "eyeSquint", "cheekSquint")
        }
        across, up = gaze[:, eye].T
        outward = across if side == "L" else -across
        blink = blinks[:, eye]
        open_still = 1 - blink
        for name, angle in (("Up", up), ("Down", -up), ("Out", outward), ("In", -outward)):
            weights[:, shape_names.index(f"eyeLook{name}_{side}")] = np.clip(angle / 0.55, 0, 1) * open_still
        rest = np.maximum(weights[:, index["eyeBlink"]] - 0.2 * weights[:, index["eyeWide"]], 0)
        weights[:, index["eyeBlink"]] = np.maximum(rest * open_still, blink)
        for name, kept in (("eyeWide", 0.0), ("eyeSquint", 0.1), ("cheekSquint", 0.6)):
            weights[:, index[name]] *= kept * blink + open_still


def wrinkle_weights(weights: Array, shape_names: tuple[str, ...]) -> Array:
    """How deep each kind of wrinkle is: (frames, 2, 6), actor's left and right; forehead, glabella, crow's feet,
    nasolabial, nose, chin; 0..1.
    """

    def weight(name: str, side: str) -> Array:
        sided = f"{name}_{side}"
        return weights[:, shape_names.index(sided if sided in shape_names else name)]

    def half(side: str) -> Array:
        inner, outer, down = (weight(name, side) for name in ("browInnerUp", "browOuterUp", "browDown"))
        smile, sneer = weight("mouthSmile", side), weight("noseSneer", side)
        squint = weight("cheekSquint", side) + 0.5 * weight("eyeSquint", side) + 0.35 * smile
        cheek = (
            0.75 * smile
            + 0.65 * sneer
            + 0.4 * weight("mouthUpperUp", side)
            + 0.2 * weight("mouthStretch", side)
        )
        chin = (
            weight("mouthShrugLower", side)
            + 0.55 * weight("mouthFrown", side)
            + 0.3 * weight("mouthPress", side)
        )
        rows = [0.06 + 0.55 * (inner + outer), 0.05 + 0.85 * down + 0.12 * inner, 0.10 + 0.75 * squint]
        return np.stack([*rows, 0.16 + cheek, 0.95 * sneer + 0.15 * down, 0.05 + 0.9 * chin], -1)

    return np.clip(np.stack([half("L"), half("R")], 1), 0, 1).astype(np.float32)
