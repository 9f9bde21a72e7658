"""The studio in Blender: how objects come into it, the sweater, the light, the camera and the room's photograph."""

from typing import Any

import bpy
import numpy as np
from materials import Nodes, image, wool
from mathutils import Vector
from numpy.typing import NDArray
from pose import CAMERA_DISTANCE, CAMERA_HEIGHT, FOCAL_LENGTH, SENSOR, to_blender
from regions import Array, noise

PLATE_MARGIN = 1.12
"""The photograph of the room is this much wider than the picture."""


def link(name: str, data: Any, *materials: bpy.types.Material) -> bpy.types.Object:
    """An object in the scene."""
    thing = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(thing)
    for material in materials:
        data.materials.append(material)
    return thing


def mesh_object(
    name: str, points: Array, faces: NDArray[np.int32], *materials: bpy.types.Material
) -> bpy.types.Object:
    """A smooth mesh of world points; a face may end in -1."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(points.tolist(), [], [[v for v in face if v >= 0] for face in faces.tolist()])
    mesh.shade_smooth()
    return link(name, mesh, *materials)


def move(thing: bpy.types.Object, points: Array) -> None:
    """Give a mesh object new points."""
    thing.data.vertices.foreach_set("co", np.ascontiguousarray(points, np.float32).ravel())
    thing.data.update()


def curves_object(name: str, strands: Array, radius: Array, material: bpy.types.Material) -> bpy.types.Object:
    """Hair of strands (strands, points, 3); radius broadcasts to (strands, points)."""
    curves = bpy.data.hair_curves.new(name)
    curves.add_curves([strands.shape[1]] * len(strands))
    curves.attributes.new("radius", "FLOAT", "POINT")
    wide = np.broadcast_to(radius, strands.shape[:2]).astype(np.float32)
    curves.attributes["radius"].data.foreach_set("value", np.ascontiguousarray(wide).ravel())
    thing = link(name, curves, material)
    move_curves(thing, strands)
    return thing


def move_curves(thing: bpy.types.Object, strands: Array) -> None:
    """Give hair new points."""
    thing.data.attributes["position"].data.foreach_set("vector", np.ascontiguousarray(strands).ravel())
    thing.data.update_tag()


def sweater() -> bpy.types.Object:
    """A crew-neck jumper, from the collar to below the picture's edge."""
    around = np.linspace(0, 2 * np.pi, 192, endpoint=False)
    front, back, side = np.sin(around) > 0, np.sin(around) <= 0, np.cos(around) ** 2
    band = [
        (-1.5, -1.6),
        (-1.1, 0.3),
        (-0.75, 0.95),
        (-0.35, 1.15),
        (0.05, 0.95),
        (0.3, 0.35),
        (0.45, -0.35),
        (0.6, -0.75),
    ]
    profiles = {
        "side": [
            (6.9, -10.3),
            (8.6, -10.9),
            (11.5, -12.0),
            (15.0, -13.5),
            (18.3, -15.6),
            (20.4, -19.0),
            (21.8, -24.0),
            (23, -34),
        ],
        "front": [
            (5.9, -12.6),
            (6.7, -13.9),
            (8.0, -16.0),
            (9.2, -18.5),
            (10.2, -21.5),
            (11.0, -25.0),
            (11.5, -29.0),
            (12, -36),
        ],
        "back": [
            (7.2, -9.6),
            (8.0, -10.6),
            (9.2, -12.4),
            (10.2, -15.0),
            (10.9, -18.5),
            (11.4, -22.5),
            (11.7, -27.0),
            (12, -36),
        ],
    }
    fine = {}
    for name, knots in profiles.items():
        start = np.array(knots[0])
        whole = np.concatenate([start + np.array(band), np.array(knots)[1:]])
        along = np.r_[0, np.cumsum(np.linalg.norm(np.diff(whole, axis=0), axis=1))]
        from_band = along[len(band) - 1] / along[-1]
        share = np.r_[np.linspace(0, from_band, 24), np.linspace(from_band, 1, 90)[1:]]
        smooth = [np.interp(share * along[-1], along, whole[:, axis]) for axis in (0, 1)]
        kernel = np.array([1, 4, 6, 4, 1]) / 16
        fine[name] = [np.convolve(np.pad(v, 2, mode="edge"), kernel, "valid") for v in smooth]
    depth = np.where(front, 1.0, 0.0)
    reach, height = (
        fine["side"][axis][:, None] * side
        + (fine["front"][axis][:, None] * depth + fine["back"][axis][:, None] * back) * (1 - side)
        for axis in (0, 1)
    )
    lean = np.interp(np.arange(len(reach)), (0, 30, 113), (-0.8, -1.5, -1.5))[:, None]
    points = np.stack([reach * np.cos(around), height, reach * np.sin(around) + lean], -1)
    sag = 0.30 * noise(points.astype(np.float32) * [1, 0.6, 1], 4.5, 71) + 0.12 * noise(
        points.astype(np.float32), 1.8, 72
    )
    loose = np.clip((np.arange(len(reach)) - 22) / 12, 0, 1)[:, None]
    points[..., 1] += loose * sag
    points[..., 2] += loose * sag
    uv = np.stack(np.broadcast_arrays(around / (2 * np.pi), np.linspace(0, 1, len(reach))[:, None]), -1)
    grid = np.arange(points.shape[0] * 192).reshape(-1, 192)
    turned = np.roll(grid, -1, 1)
    faces = np.stack([grid[:-1], turned[:-1], turned[1:], grid[1:]], -1).reshape(-1, 4)
    thing = mesh_object("sweater", to_blender(points.reshape(-1, 3)), faces, wool(band_end=23 / 113))
    layer = thing.data.uv_layers.new(name="knit")
    layer.data.foreach_set("uv", uv.reshape(-1, 2)[faces.ravel()].astype(np.float32).ravel())
    return thing


def lamp(
    name: str,
    at: tuple[float, float, float],
    to: tuple[float, float, float],
    size: float,
    watts: float,
    kelvin: float,
) -> None:
    """A square softbox."""
    light = bpy.data.lights.new(name, "AREA")
    light.energy, light.size = watts, size
    light.use_temperature = True
    light.temperature = kelvin
    thing = link(name, light)
    thing.location = at
    thing.rotation_euler = (Vector(to) - Vector(at)).to_track_quat("-Z", "Y").to_euler()


def interview_light() -> None:
    """Large soft key, weak fill, cool rim: three lamps, since each more is noise in the hair."""
    lamp("key", (-5.0, -6.4, 3.6), (0, -0.5, 0.1), 3.4, 800, 5200)
    lamp("fill", (6.5, -6.5, 0.6), (0, -0.5, 0.0), 5.0, 75, 6400)
    lamp("rim", (3.8, 5.2, 3.6), (0, 0, 0.5), 2.6, 180, 7000)
    world = bpy.data.worlds.new("dusk")
    bpy.context.scene.world = world
    world.use_nodes = True
    ambient = world.node_tree.nodes["Background"]
    ambient.inputs[0].default_value = (0.72, 0.82, 1.0, 1)
    ambient.inputs[1].default_value = 0.08


def camera(fstop: float = 4.0) -> bpy.types.Object:
    """The interview camera, focused on the eyes."""
    data = bpy.data.cameras.new("camera")
    data.lens, data.sensor_width = FOCAL_LENGTH, SENSOR
    data.dof.use_dof = True
    data.dof.focus_distance = CAMERA_DISTANCE - 0.92
    data.dof.aperture_fstop = fstop / 10  # Blender takes world units for metres; ours are decimetres
    thing = link("camera", data)
    thing.location = (0, -CAMERA_DISTANCE, CAMERA_HEIGHT)
    thing.rotation_euler = (np.pi / 2, 0, 0)
    bpy.context.scene.camera = thing
    return thing


def backdrop(plate: Array, distance: float = 12.0) -> bpy.types.Object:
    """The room, photographed beforehand (height, width, 3), on a screen that only the camera sees."""
    n = Nodes("plate")
    thing = mesh_object("backdrop", np.zeros((4, 3), np.float32), np.array([[0, 1, 2, 3]]), n.material)
    half = PLATE_MARGIN * (CAMERA_DISTANCE + distance) * SENSOR / FOCAL_LENGTH / 2
    corners = np.array([(-half, -half), (half, -half), (half, half), (-half, half)], np.float32)
    move(thing, np.stack([corners[:, 0], np.full(4, distance), corners[:, 1] + CAMERA_HEIGHT], -1))
    layer = thing.data.uv_layers.new(name="plate")
    layer.data.foreach_set("uv", np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32).ravel())
    seen = n.add("TexImage", image=image("plate", plate)).outputs[0]
    n.done(n.add("Emission", {"Color": seen, "Strength": 1.0}))
    for ray in ("diffuse", "glossy", "transmission", "volume_scatter", "shadow"):
        setattr(thing, f"visible_{ray}", False)
    return thing


def clear_stage() -> None:
    """An empty scene with Cycles on the processor."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    cycles = scene.cycles
    cycles.device = "CPU"
    cycles.use_denoising = True
    cycles.denoiser = "OPENIMAGEDENOISE"
    cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"
    cycles.denoising_prefilter = "ACCURATE"
    cycles.use_adaptive_sampling = True
    cycles.adaptive_threshold = 0.03
    cycles.adaptive_min_samples = 8
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 4, 2, 2
    cycles.transmission_bounces, cycles.transparent_max_bounces = 2, 6
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect, cycles.sample_clamp_direct = 2.0, 6.0
    cycles.seed = 0
    scene.render.use_persistent_data = True
    scene.cycles_curves.shape = "RIBBONS"
    scene.cycles_curves.subdivisions = 1
    cycles.filter_width = 1.5
    scene.view_settings.exposure = 0.12
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    scene.render.image_settings.file_format = "PNG"
