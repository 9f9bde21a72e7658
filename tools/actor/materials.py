"""What things are made of: skin, eyes, hair, wool, and anything of one colour."""

from typing import Any

import bpy
import numpy as np
from eye import iris_and_white
from regions import Array
from skin import SkinMaps


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
    height = n.math("ADD", n.math("MULTIPLY", fold, 0.085), n.math("MULTIPLY", pore, 0.55))
    bump = n.add("Bump", {"Height": height, "Distance": 0.1, "Strength": 1.0}).outputs[0]
    shade = n.math("MULTIPLY_ADD", n.math("MINIMUM", fold, 0.0), 0.20, 1.0)
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
