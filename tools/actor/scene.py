"""Builds the studio in Blender: the actor's head, eyes, hair and sweater, the room behind, the light and the camera.

Blender's world here is decimetres, x to the actor's left, y away from the camera, z up.
"""

from dataclasses import dataclass
from typing import Any

import bpy
import hair
import numpy as np
from eye import iris_and_white
from mathutils import Matrix, Vector
from mesh import EYE_RADIUS, PARTS, Head
from numpy.typing import NDArray
from regions import Array, smoothstep
from skin import WRINKLES, SkinMaps

FOCAL_LENGTH = 85.0
"""Millimetres, on a sensor 36 mm wide."""
CAMERA_DISTANCE = 9.2
"""Decimetres from the origin of the head."""
CAMERA_HEIGHT = 0.10
SENSOR = 36.0
PLATE_MARGIN = 1.12
"""The photograph of the room is this much wider than the picture."""
NECK_PIVOT = np.array([0.0, -8.0, -2.0], np.float32)
"""Centimetres, in the neutral head: the head turns about this point."""


def to_blender(points: Array) -> Array:
    """Centimetres of the mesh (..., 3) to the world here."""
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], -1).astype(np.float32) * np.float32(
        0.1
    )


BASIS = Matrix(((0.1, 0, 0, 0), (0, 0, -0.1, 0), (0, 0.1, 0, 0), (0, 0, 0, 1)))
"""`to_blender` as a matrix, for objects whose own coordinates are mesh centimetres."""


def project(points: Array, size: int) -> Array:
    """Where mesh points (..., 3), after pose, appear: (..., 2) pixels, x right, y down, pixel centres at .5."""
    world = to_blender(points)
    depth = world[..., 1] + CAMERA_DISTANCE
    scale = size * FOCAL_LENGTH / SENSOR
    return np.stack(
        [
            size / 2 + scale * world[..., 0] / depth,
            size / 2 - scale * (world[..., 2] - CAMERA_HEIGHT) / depth,
        ],
        -1,
    )


def rotation(turn: Array) -> Array:
    """Rotation matrices (..., 3, 3) of rotation vectors (..., 3), radians, in mesh axes."""
    angle = np.linalg.norm(turn, axis=-1)[..., None, None]
    x, y, z = np.moveaxis(turn / np.maximum(angle[..., 0], 1e-9), -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack(
        [np.stack([zero, -z, y], -1), np.stack([z, zero, -x], -1), np.stack([-y, x, zero], -1)], -2
    )
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def posed(points: Array, turn: Array, shift: Array, follow: Array | None = None) -> Array:
    """Mesh points (n, 3) after the head has turned by a rotation vector and moved by `shift` centimetres.

    `follow` (n,) says how far each point goes along: 1 on the skull, 0 at the shoulders.
    """
    share = np.ones(len(points), np.float32) if follow is None else follow
    turned = np.einsum("nij,nj->ni", rotation(share[:, None] * turn), points - NECK_PIVOT)
    return (turned + NECK_PIVOT + share[:, None] * shift).astype(np.float32)


def neck_share(neutral: Array) -> Array:
    """How far each vertex follows the head: the neck bends evenly between skull and shoulders."""
    return smoothstep(-12.5, -5.0, neutral[:, 1] + 0.35 * neutral[:, 2])


# ---------------------------------------------------------------- materials


class Nodes:
    """A material's node tree, wired by short calls."""

    def __init__(self, name: str) -> None:
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.tree.nodes.clear()
        self.output = self.tree.nodes.new("ShaderNodeOutputMaterial")

    def add(self, kind: str, inputs: dict[str | int, Any] | None = None, **settings: Any) -> Any:
        """A node; an input that is a socket is linked, anything else is its value."""
        node = self.tree.nodes.new(f"ShaderNode{kind}")
        for key, value in settings.items():
            setattr(node, key, value)
        for socket, value in (inputs or {}).items():
            if isinstance(value, bpy.types.NodeSocket):
                self.tree.links.new(value, node.inputs[socket])
            else:
                node.inputs[socket].default_value = value
        return node

    def math(self, operation: str, *values: Any) -> Any:
        """The result of a scalar operation."""
        return self.add("Math", dict(enumerate(values)), operation=operation).outputs[0]

    def done(self, shader: Any) -> bpy.types.Material:
        """The finished material."""
        self.tree.links.new(shader.outputs[0], self.output.inputs["Surface"])
        return self.material


def image(name: str, pixels: Array) -> bpy.types.Image:
    """A linear picture (height, width, up to 3 channels), bottom row first."""
    height, width = pixels.shape[:2]
    full = np.ones((height, width, 4), np.float32)
    full[..., : pixels.shape[2]] = pixels
    picture = bpy.data.images.new(name, width, height, float_buffer=True, is_data=True)
    picture.pixels.foreach_set(full.ravel())
    picture.pack()
    return picture


def skin_material(maps: SkinMaps) -> bpy.types.Material:
    """Skin with subsurface scattering; wrinkles deepen with the vertex attributes `wrinkles_a` and `wrinkles_b`."""
    n = Nodes("skin")
    colour = n.add("TexImage", image=image("colour", maps.colour)).outputs[0]
    gloss = n.add("SeparateColor", {0: n.add("TexImage", image=image("gloss", maps.gloss)).outputs[0]})
    relief = n.add("TexImage", image=image("relief", maps.relief[..., None])).outputs[0]
    folds = []
    for part, channels in (("a", slice(0, 3)), ("b", slice(3, 6))):
        drawn = n.add("TexImage", image=image(f"wrinkles_{part}", maps.wrinkles[..., channels])).outputs[0]
        weight = n.add("Attribute", attribute_name=f"wrinkles_{part}").outputs["Vector"]
        folds.append(n.add("VectorMath", {0: drawn, 1: weight}, operation="DOT_PRODUCT").outputs["Value"])
    fold = n.math("ADD", *folds)
    pore = n.add("SeparateColor", {0: relief}).outputs[0]
    height = n.math("ADD", n.math("MULTIPLY", fold, 0.085), n.math("MULTIPLY", pore, 0.35))
    bump = n.add("Bump", {"Height": height, "Distance": 0.1, "Strength": 1.0}).outputs[0]
    shade = n.math("MULTIPLY_ADD", n.math("MINIMUM", fold, 0.0), 0.30, 1.0)
    worn = n.add("VectorMath", {0: colour, "Scale": shade}, operation="SCALE").outputs[0]
    lips = gloss.outputs[2]
    return n.done(
        n.add(
            "BsdfPrincipled",
            {
                "Base Color": worn,
                "Roughness": gloss.outputs[0],
                "IOR": 1.42,
                "Normal": bump,
                "Subsurface Weight": 1.0,
                "Subsurface Radius": (1.0, 0.36, 0.20),
                "Subsurface Scale": 0.022,
                "Coat Weight": n.math("MULTIPLY", lips, 0.15),
                "Coat Roughness": 0.3,
                "Coat Normal": bump,
            },
            subsurface_method="RANDOM_WALK",
        )
    )


def plain(
    name: str, colour: tuple[float, float, float], roughness: float, **inputs: Any
) -> bpy.types.Material:
    """A material of one colour, linear light."""
    n = Nodes(name)
    named = {key.replace("_", " "): value for key, value in inputs.items()}
    return n.done(n.add("BsdfPrincipled", {"Base Color": (*colour, 1), "Roughness": roughness, **named}))


def eye_material(seed: int) -> bpy.types.Material:
    """Iris and white painted on the front of the ball, under a wet cornea."""
    n = Nodes("eye")
    painted = n.add("TexImage", image=image("eye", iris_and_white(seed))).outputs[0]
    inputs = {"Base Color": painted, "Roughness": 0.35, "Specular IOR Level": 0.2, "Coat Weight": 1.0}
    return n.done(n.add("BsdfPrincipled", {**inputs, "Coat Roughness": 0.17, "Coat IOR": 1.8}))


def tear_material() -> bpy.types.Material:
    """Water along the lids: seen only where it shines."""
    n = Nodes("tears")
    shine = n.add("BsdfGlossy", {"Roughness": 0.05})
    clear = n.add("BsdfTransparent")
    edge = n.add("Fresnel", {"IOR": 1.33}).outputs[0]
    return n.done(n.add("MixShader", {0: edge, 1: clear.outputs[0], 2: shine.outputs[0]}))


def hair_material(name: str, melanin: float, redness: float, roughness: float) -> bpy.types.Material:
    """Hair by its pigments."""
    n = Nodes(name)
    inputs = {
        "Melanin": melanin,
        "Melanin Redness": redness,
        "Roughness": roughness,
        "Radial Roughness": 0.35,
    }
    shader = n.add("BsdfHairPrincipled", parametrization="MELANIN")
    for key, value in {**inputs, "Random Color": 0.5, "Random Roughness": 0.2}.items():
        shader.inputs[key].default_value = value
    return n.done(shader)


# ---------------------------------------------------------------- objects


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
        turned = np.eye(4)
        turned[:3, :3] = rotation(instant.turn)
        turned[:3, 3] = NECK_PIVOT + instant.shift - turned[:3, :3] @ NECK_PIVOT
        skull = BASIS @ Matrix(turned.tolist())
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
    from regions import noise

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


def wool(band_end: float) -> bpy.types.Material:
    """Fine ribbed knit, dark blue-green."""
    n = Nodes("wool")
    size_u, size_v = 2048, 1024
    u, v = np.meshgrid((np.arange(size_u) + 0.5) / size_u, (np.arange(size_v) + 0.5) / size_v)
    rib = np.cos(2 * np.pi * u * 150)
    stitch = np.abs(np.cos(2 * np.pi * (u * 260 + 0.25 * np.sin(2 * np.pi * v * 190)))) * (
        0.75 + 0.25 * np.cos(2 * np.pi * v * 190)
    )
    knit = np.where(v < band_end, 0.5 + 0.5 * rib, 0.45 * stitch).astype(np.float32)
    fuzz = np.random.default_rng(1).normal(0, 0.08, knit.shape).astype(np.float32)
    height = n.add("TexImage", image=image("knit", (knit + fuzz)[..., None])).outputs[0]
    value = n.add("SeparateColor", {0: height}).outputs[0]
    bump = n.add("Bump", {"Height": value, "Distance": 0.012, "Strength": 0.8}).outputs[0]
    tone = n.math("MULTIPLY_ADD", value, 0.5, 0.65)
    colour = n.add("VectorMath", {0: (0.045, 0.090, 0.110), "Scale": tone}, operation="SCALE").outputs[0]
    inputs = {
        "Base Color": colour,
        "Roughness": 0.85,
        "Normal": bump,
        "Sheen Weight": 0.35,
        "Sheen Roughness": 0.4,
    }
    return n.done(n.add("BsdfPrincipled", {**inputs, "Specular IOR Level": 0.15}))


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
    lamp("fill", (6.5, -6.5, 0.6), (0, -0.5, 0.0), 5.0, 110, 6400)
    lamp("rim", (4.2, 4.6, 4.4), (0, 0, 0.6), 2.6, 330, 7500)
    world = bpy.data.worlds.new("dusk")
    bpy.context.scene.world = world
    world.use_nodes = True
    ambient = world.node_tree.nodes["Background"]
    ambient.inputs[0].default_value = (0.72, 0.82, 1.0, 1)
    ambient.inputs[1].default_value = 0.10


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
    cycles.denoising_prefilter = "NONE"
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
    cycles.filter_width = 1.8
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    scene.render.image_settings.file_format = "PNG"
