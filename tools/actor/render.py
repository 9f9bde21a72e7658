"""Renders the performance, frame by frame: `python render.py --ict ict_facekit.npz --out FOLDER`.

What exists is kept, so a broken run goes on where it stopped; every file appears whole or not at all.
"""

import argparse
import logging
import os
import time
from pathlib import Path

import bpy
import cv2
import numpy as np
import room
import scene
import skin
from actor import Actor, Instant
from mesh import Head
from numpy.typing import NDArray
from performance import Performance, perform, wrinkle_weights
from pose import head_matrix, project

IDENTITY_SEED = 10
IDENTITY_MODES = 60
REGION = (90 / 512, 20 / 512, 422 / 512, 420 / 512)
"""The part of the picture that moves (left, top, right, bottom): shoulders and room around it are rendered once.

Whole pixels at 256 and 512, for Blender cuts fractions off.
"""
STILL_SAMPLES = 64

log = logging.getLogger("actor")


def identity() -> NDArray[np.float32]:
    """The person: sixty modes drawn at random and held within 1.1 standard deviations, so that nobody is depicted."""
    drawn = np.random.default_rng(IDENTITY_SEED).normal(0, 0.7, IDENTITY_MODES)
    return np.clip(drawn, -1.1, 1.1).astype(np.float32)


def save(path: Path, **arrays: NDArray) -> None:
    """Write arrays, atomically."""
    part = path.with_name(f".{path.name}")
    with part.open("wb") as file:
        np.savez_compressed(file, **arrays)
    os.replace(part, path)


def write_truth(path: Path, head: Head, actor: Actor, played: Performance, size: int) -> None:
    """The parameters behind every frame, and where the mesh's 68 landmarks fall in the picture, pixels."""
    landmarks, poses = [], []
    for k in range(len(played)):
        instant = at(played, k)
        landmarks.append(project(actor.vertices(instant)[head.landmarks], size))
        poses.append(head_matrix(instant.turn, instant.shift))
    save(
        path,
        shape_names=np.array(played.shape_names),
        weights=played.weights,
        pose=np.array(poses, np.float32),
        turn=played.turn,
        shift=played.shift,
        gaze=played.gaze,
        emotion=played.emotion,
        strength=played.strength,
        phone=played.phone,
        take=played.take,
        landmarks=np.array(landmarks, np.float32),
        landmark_vertices=head.landmarks,
        identity=identity(),
    )


def at(played: Performance, frame: int) -> Instant:
    """One frame of the performance."""
    wrinkles = wrinkle_weights(played.weights[frame : frame + 1], played.shape_names)[0]
    return Instant(
        played.weights[frame], played.turn[frame], played.shift[frame], played.gaze[frame], wrinkles
    )


def shoot(
    path: Path, size: int, samples: int, region: tuple[float, float, float, float] | None = None
) -> NDArray[np.uint8]:
    """Render the stage as it stands and return it (or its region) as BGR; `path` is used for Blender's own file."""
    render = bpy.context.scene.render
    render.resolution_x = render.resolution_y = size
    bpy.context.scene.cycles.samples = samples
    render.use_border = render.use_crop_to_border = region is not None
    if region is not None:
        render.border_min_x, render.border_max_x = region[0], region[2]
        render.border_min_y, render.border_max_y = 1 - region[3], 1 - region[1]
    render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    picture = cv2.imread(str(path))
    path.unlink()
    return picture


def inlay(still: NDArray[np.uint8], part: NDArray[np.uint8], feather: int = 12) -> NDArray[np.uint8]:
    """The still picture with the moving region set in, its rim blended over `feather` pixels."""
    left, top, right, bottom = (round(edge * len(still)) for edge in REGION)
    height, width = part.shape[:2]
    if (height, width) != (bottom - top, right - left):
        raise ValueError(
            f"the moving region is {width}x{height} pixels instead of {right - left}x{bottom - top}"
        )
    rows = np.minimum(np.arange(height) + 1, np.arange(height)[::-1] + 1)
    columns = np.minimum(np.arange(width) + 1, np.arange(width)[::-1] + 1)
    share = np.clip(np.minimum(rows[:, None], columns) / feather, 0, 1)[..., None]
    whole = still.astype(np.float32)
    spot = whole[top:bottom, left:right]
    spot += share * (part - spot)
    return np.clip(np.rint(whole), 0, 255).astype(np.uint8)


def prepare(ict: Path, out: Path, map_size: int, plate_samples: int) -> tuple[Head, Actor, Performance]:
    """Paint, furnish and set the stage; the slow parts are kept in `out`."""
    head = Head.open(ict, ict.with_name("ict_vertex_indices.json"), identity())
    painted = out / "skin.npz"
    if not painted.exists():
        log.info("painting the skin")
        maps = skin.paint(head, map_size)
        save(painted, colour=maps.colour, gloss=maps.gloss, relief=maps.relief, wrinkles=maps.wrinkles)
    with np.load(painted) as kept:
        maps = skin.SkinMaps(**{name: kept[name] for name in kept.files})
    plate = out / "room.npz"
    if not plate.exists():
        log.info("photographing the room")
        save(plate, plate=room.photograph(samples=plate_samples))
    scene.clear_stage()
    actor = Actor(head, maps)
    scene.sweater()
    scene.interview_light()
    scene.camera()
    with np.load(plate) as kept:
        scene.backdrop(kept["plate"])
    return head, actor, perform(head.shape_names)


def main() -> None:
    """Render what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--ict", type=Path, required=True, help="ict_facekit.npz, ict_vertex_indices.json beside it"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for frames/, truth.npz and what is kept between runs"
    )
    parser.add_argument("--size", type=int, default=512, help="pixels along each edge")
    parser.add_argument("--samples", type=int, default=8, help="light paths a pixel")
    parser.add_argument("--frames", default="", help="only these, START:STOP:STEP")
    parser.add_argument("--maps", type=int, default=1280, help="texels across the face")
    parser.add_argument("--plate-samples", type=int, default=96, help="light paths a pixel of the room")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    frames = options.out / "frames"
    frames.mkdir(parents=True, exist_ok=True)
    head, actor, played = prepare(options.ict, options.out, options.maps, options.plate_samples)
    if not (options.out / "truth.npz").exists():
        write_truth(options.out / "truth.npz", head, actor, played, options.size)
    scratch = options.out / f".blender-{os.getpid()}.png"
    still_path = options.out / "still.png"
    if not still_path.exists():
        actor.act(at(played, 0))
        cv2.imwrite(str(still_path), shoot(scratch, options.size, STILL_SAMPLES))
    still = cv2.imread(str(still_path))
    wanted = (
        slice(*[int(part) if part else None for part in options.frames.split(":")])
        if options.frames
        else slice(None)
    )
    for number in range(len(played))[wanted]:
        path = frames / f"{number:05d}.png"
        if path.exists():
            continue
        started = time.monotonic()
        actor.act(at(played, number))
        part = shoot(scratch, options.size, options.samples, REGION)
        hidden = path.with_name(f".{path.name}")
        hidden.write_bytes(cv2.imencode(".png", inlay(still, part))[1].tobytes())
        os.replace(hidden, path)
        log.info("frame %d of %d: %.1f s", number, len(played), time.monotonic() - started)


if __name__ == "__main__":
    main()
