"""The person in front of the camera: a deforming head, eyes, teeth and hair that take the pose of one frame."""

from dataclasses import dataclass

import bpy
import hair
import numpy as np
from materials import eye_material, hair_material, plain, skin_material, tear_material
from mathutils import Matrix, Vector
from mesh import EYE_RADIUS, PARTS, Head
from numpy.typing import NDArray
from pose import head_matrix, neck_share, posed, to_blender
from regions import Array, smoothstep
from scene import curves_object, mesh_object, move, move_curves
from skin import WRINKLES, SkinMaps

BASIS = Matrix(((0.1, 0, 0, 0), (0, 0, -0.1, 0), (0, 0.1, 0, 0), (0, 0, 0, 1)))
"""`to_blender` as a matrix, for objects whose own coordinates are mesh centimetres."""


@dataclass(frozen=True)
class Instant:
    """What the actor does in one frame."""

    weights: Array
    """(shapes,) expression weights, in the head's own order"""
    turn: Array
    """(3,) rotation vector of the head, radians, mesh axes"""
    shift: Array
    """(3,) centimetres"""
    gaze: Array
    """(2, 2) left and right eye: radians to the actor's left, and up"""
    wrinkles: Array
    """(2, 6) actor's left and right half of the face, in WRINKLES order, 0..1"""


class Actor:
    """The person on the stage."""

    def __init__(self, head: Head, maps: SkinMaps, eye_seed: int = 5) -> None:
        self.head = head
        self.share = neck_share(head.neutral)
        shown = PARTS["eye_sockets"].stop
        faces = head.faces[head.part("skin") | head.part("mouth_socket") | head.part("eye_sockets")]
        uv_faces = head.uv_faces[head.part("skin") | head.part("mouth_socket") | head.part("eye_sockets")]
        inside = plain("mucosa", (0.45, 0.12, 0.11), 0.35, Coat_Weight=0.4, Coat_Roughness=0.15)
        lid = plain("lid", (0.55, 0.22, 0.19), 0.4)
        self.skin = mesh_object(
            "skin", to_blender(head.neutral[:shown]), faces, skin_material(maps), inside, lid
        )
        slot = np.searchsorted([PARTS["skin"].stop, PARTS["mouth_socket"].stop], faces.max(1), side="right")
        self.skin.data.polygons.foreach_set("material_index", slot.astype(np.int32))
        layer = self.skin.data.uv_layers.new(name="atlas")
        layer.data.foreach_set("uv", (head.uv[uv_faces[faces >= 0]] * [0.5, 1]).astype(np.float32).ravel())
        for part in "ab":
            self.skin.data.attributes.new(f"wrinkles_{part}", "FLOAT_VECTOR", "POINT")
        smooth = self.skin.modifiers.new("smooth", "SUBSURF")
        smooth.levels = smooth.render_levels = 1
        self.leftness = smoothstep(-0.6, 0.6, head.neutral[:shown, 0])[:, None]

        ivory = plain(
            "teeth", (0.70, 0.62, 0.50), 0.22, Coat_Weight=0.3, Subsurface_Weight=0.3, Subsurface_Scale=0.02
        )
        gum = plain("gums", (0.42, 0.13, 0.12), 0.35, Coat_Weight=0.5, Coat_Roughness=0.12)
        self.inner = {
            name: mesh_object(name, to_blender(head.neutral[PARTS[name]]), self._local(name), material)
            for name, material in (("teeth", ivory), ("gums_and_tongue", gum), ("tears", tear_material()))
        }
        material = eye_material(eye_seed)
        self.eyes = [eyeball(f"eye_{side}", material) for side in ("left", "right")]
        self.eye_centres = [head.eye_centre(left=True), head.eye_centre(left=False)]

        dark = hair_material("brow", 0.95, 0.25, 0.4)
        brown = hair_material("hair", 0.955, 0.2, 0.38)
        self.haircut = curves_object("haircut", *hair.haircut(head), brown)
        self.riding = {
            "brows": (hair.brows(head), np.array([0.0050, 0.0050, 0.0042, 0.002], np.float32)),
            "stubble": (hair.stubble(head), np.array([0.0035, 0.0035, 0.003, 0.002], np.float32)),
            "lashes": (hair.lashes(head), np.array([0.0065, 0.006, 0.005, 0.0035, 0.0015], np.float32)),
        }
        self.hairs = {
            name: curves_object(name, strands.strands(head.neutral) * 0.1, radius * 0.1, dark)
            for name, (strands, radius) in self.riding.items()
        }

    def _local(self, name: str) -> NDArray[np.int32]:
        faces = self.head.faces[self.head.part(name)]
        return np.where(faces >= 0, faces - PARTS[name].start, -1)

    def vertices(self, instant: Instant) -> Array:
        """The whole posed mesh, centimetres."""
        return posed(self.head.deform(instant.weights), instant.turn, instant.shift, self.share)

    def act(self, instant: Instant) -> None:
        """Take the pose and expression of one frame."""
        vertices = self.vertices(instant)
        world = to_blender(vertices)
        move(self.skin, world[: PARTS["eye_sockets"].stop])
        wrinkles = self.leftness * instant.wrinkles[0] + (1 - self.leftness) * instant.wrinkles[1]
        for part, channels in (("a", slice(0, 3)), ("b", slice(3, len(WRINKLES)))):
            values = np.ascontiguousarray(wrinkles[:, channels], np.float32).ravel()
            self.skin.data.attributes[f"wrinkles_{part}"].data.foreach_set("vector", values)
        for name, thing in self.inner.items():
            move(thing, world[PARTS[name]])
        for name, (strands, _) in self.riding.items():
            move_curves(self.hairs[name], to_blender(strands.strands(vertices)))
        skull = BASIS @ Matrix(head_matrix(instant.turn, instant.shift).tolist())
        self.haircut.matrix_world = skull
        for eye, centre, (across, up) in zip(self.eyes, self.eye_centres, instant.gaze, strict=True):
            aim = Matrix.Rotation(across, 4, "Y") @ Matrix.Rotation(-up, 4, "X")
            eye.matrix_world = skull @ Matrix.Translation(Vector(centre.tolist())) @ aim


def eyeball(name: str, material: bpy.types.Material) -> bpy.types.Object:
    """A ball with a cornea, looking along z, in mesh centimetres."""
    angles = np.concatenate([np.linspace(0, 0.6, 32), np.linspace(0.62, np.pi, 24)])
    # The cornea is a smaller ball that sticks out: distance from the eye's centre to its surface along each ray.
    bulge, ahead = 0.85, 0.893
    within = np.sqrt(np.maximum(bulge**2 - (ahead * np.sin(angles)) ** 2, 0))
    profile = np.maximum(np.where(angles < 0.6, ahead * np.cos(angles) + within, 0), EYE_RADIUS - 0.006)
    around = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    ring = np.sin(angles)[:, None] * profile[:, None]
    points = np.stack(
        [ring * np.cos(around), ring * np.sin(around), np.repeat((np.cos(angles) * profile)[:, None], 64, 1)],
        -1,
    )
    grid = np.arange(points.shape[0] * 64).reshape(-1, 64)
    turned = np.roll(grid, -1, 1)
    faces = np.stack([grid[:-1], grid[1:], turned[1:], turned[:-1]], -1).reshape(-1, 4)
    ball = mesh_object(name, points.reshape(-1, 3), faces, material)
    layer = ball.data.uv_layers.new(name="front")
    front = points.reshape(-1, 3)[faces.ravel()]
    behind = front[:, 2] < 0
    uv = 0.5 + 0.5 * front[:, :2] / EYE_RADIUS
    uv[behind] = (0.5, 0.99)
    layer.data.foreach_set("uv", np.clip(uv, 0.005, 0.995).astype(np.float32).ravel())
    return ball
