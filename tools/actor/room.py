"""The room behind the actor, photographed once with the interview camera wide open."""

import tempfile
from pathlib import Path

import bpy
import numpy as np
from materials import plain
from pose import SENSOR
from regions import Array
from scene import PLATE_MARGIN, camera, clear_stage, lamp, mesh_object

FAR_WALL = 34.0
"""Decimetres behind the actor."""


def _box(
    name: str, low: tuple[float, float, float], high: tuple[float, float, float], material: bpy.types.Material
) -> None:
    corners = np.array([[(low, high)[k >> a & 1][a] for a in range(3)] for k in range(8)], np.float32)
    faces = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    thing = mesh_object(name, corners, np.array(faces))
    thing.data.shade_flat()
    thing.data.materials.append(material)


def _glow(name: str, colour: tuple[float, float, float], strength: float) -> bpy.types.Material:
    return plain(name, (0, 0, 0), 1.0, Emission_Color=(*colour, 1), Emission_Strength=strength)


def _ball(name: str, at: tuple[float, float, float], radius: float, material: bpy.types.Material) -> None:
    bpy.ops.mesh.primitive_uv_sphere_add(radius=radius, location=at, segments=24, ring_count=12)
    thing = bpy.context.object
    thing.name = name
    thing.data.materials.append(material)


def furnish(seed: int = 12) -> None:
    """A wall, a bookcase with a lamp on the actor's right, a curtained window on the left, a plant."""
    random = np.random.default_rng(seed)
    wall = plain("wall", (0.23, 0.25, 0.25), 0.9)
    wood = plain("wood", (0.16, 0.085, 0.045), 0.5)
    _box("far wall", (-40, FAR_WALL, -20), (40, FAR_WALL + 1, 25), wall)
    left, right, front = -13.5, -1.5, FAR_WALL - 3
    for height in (-13.0, -8.6, -4.2, 0.2, 4.6, 9.0):
        _box(f"shelf {height}", (left, front, height), (right, FAR_WALL, height + 0.28), wood)
        x = left + 0.3
        while x < right - 0.6:
            wide, tall = random.uniform(0.22, 0.6), random.uniform(2.2, 3.5)
            if random.random() < 0.22:
                x += random.uniform(0.6, 2.2)
                continue
            hue = random.choice(5)
            base = [
                (0.30, 0.07, 0.05),
                (0.05, 0.11, 0.17),
                (0.38, 0.30, 0.19),
                (0.08, 0.13, 0.09),
                (0.45, 0.22, 0.06),
            ][hue]
            cover = tuple(float(c * random.uniform(0.6, 1.3)) for c in base)
            depth = random.uniform(0.0, 0.9)
            spine = plain(f"book {height} {x:.2f}", cover, 0.6)
            _box(
                f"book {height} {x:.2f}",
                (x, front + 0.2 + depth, height + 0.28),
                (x + wide, FAR_WALL, height + 0.28 + tall),
                spine,
            )
            x += wide + 0.03
    for x in (left - 0.3, right):
        _box(f"upright {x}", (x, front, -20), (x + 0.3, FAR_WALL, 14), wood)
    _ball("lamp", (-7.2, FAR_WALL - 5, 3.2), 0.9, _glow("bulb", (1.0, 0.62, 0.30), 5))
    _box(
        "lamp foot",
        (-7.35, FAR_WALL - 7.1, -20),
        (-6.45, FAR_WALL - 6.9, 1.2),
        plain("brass", (0.4, 0.26, 0.1), 0.3),
    )
    for k in range(5):
        at = (
            -12.5 + 2.3 * k + random.uniform(-0.4, 0.4),
            front - 0.4,
            random.choice([3.9, 4.2, 8.4]) + random.uniform(-0.3, 0.2),
        )
        _ball(f"light {k}", tuple(float(v) for v in at), 0.11, _glow(f"fairy {k}", (1.0, 0.66, 0.34), 30))
    _box("window", (5.6, FAR_WALL - 0.2, -6), (12.6, FAR_WALL, 12), _glow("dusk", (0.42, 0.62, 0.95), 0.55))
    for z in (-1.5, 3.5, 8.5):
        _box(f"bar {z}", (5.6, FAR_WALL - 0.5, z), (12.6, FAR_WALL - 0.2, z + 0.25), wall)
    _box("mullion", (9.0, FAR_WALL - 0.5, -6), (9.3, FAR_WALL - 0.2, 12), wall)
    curtain = plain("curtain", (0.34, 0.31, 0.27), 0.9)
    for start in (4.2, 12.2):
        for fold in range(7):
            x = start + 0.33 * fold
            _box(
                f"fold {x:.2f}",
                (x, FAR_WALL - 1.2 - 0.35 * (fold % 2), -20),
                (x + 0.31, FAR_WALL - 0.7, 14),
                curtain,
            )
    leaf = plain("leaf", (0.045, 0.13, 0.035), 0.45)
    for k in range(110):
        start = np.array([3.4, FAR_WALL - 6.0, -7.0])
        direction = random.normal(0, 1, 3) * [1.0, 0.8, 0.6] + [0, 0, 1.5]
        tip = start + direction / np.linalg.norm(direction) * random.uniform(2.5, 6.5)
        tip[2] -= random.uniform(0, 1.5)
        width = np.cross(direction, random.normal(0, 1, 3))
        width *= random.uniform(0.2, 0.45) / np.linalg.norm(width)
        middle = tip - direction / np.linalg.norm(direction) * 1.7
        corners = np.stack([middle, (middle + tip) / 2 + width, tip, (middle + tip) / 2 - width]).astype(
            np.float32
        )
        mesh_object(f"leaf {k}", corners, np.array([[0, 1, 2, 3]]), leaf)
    lamp("room", (8, FAR_WALL - 12, 14), (0, FAR_WALL, 0), 8, 900, 5600)
    lamp("shelf light", (-7, FAR_WALL - 9, 9), (-7, FAR_WALL, 2), 3, 500, 3200)


def photograph(size: int = 400, samples: int = 96) -> Array:
    """The empty room, out of focus: (size, size, 3) linear light, bottom row first."""
    clear_stage()
    furnish()
    camera(fstop=2.4).data.sensor_width = SENSOR * PLATE_MARGIN
    world = bpy.data.worlds.new("room")
    bpy.context.scene.world = world
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs[0].default_value = (0.05, 0.06, 0.08, 1)
    scene = bpy.context.scene
    scene.render.resolution_x = scene.render.resolution_y = size
    scene.cycles.samples = samples
    scene.cycles.sample_clamp_direct = 40
    scene.render.image_settings.file_format = "OPEN_EXR"
    bpy.ops.render.render(write_still=False)
    return _pixels(size)


def _pixels(size: int) -> Array:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plate.exr"
        bpy.data.images["Render Result"].save_render(str(path))
        picture = bpy.data.images.load(str(path))
        pixels = np.empty(size * size * 4, np.float32)
        picture.pixels.foreach_get(pixels)
    return pixels.reshape(size, size, 4)[..., :3].copy()
