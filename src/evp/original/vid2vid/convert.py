"""Turns a checkpoint of vid2vid's generator into weights of this project. Needs torch, inside the function."""

from pathlib import Path
from typing import TYPE_CHECKING

from evp.original.checkpoints import Match, load_by_name, read_checkpoint
from evp.original.vid2vid.render import FORMAT, KIND
from evp.weights import export_weights

if TYPE_CHECKING:
    from evp.original.vid2vid.network import GeneratorConfig

SIZE = 512
"""Side of the pictures that the original's generator was trained on."""


def import_generator(
    checkpoint: Path, output: Path, config: "GeneratorConfig | None" = None, size: int = SIZE
) -> Match:
    """Make weights, for :class:`evp.original.vid2vid.render.Generator`, of ``latest_net_G0.pth``.

    ``config`` is for generators of other widths; ``size``, a multiple of 8, is the side of the pictures it will make.
    Raises InputError, which names the file and the key, and OutputError.
    """
    import torch

    from evp.original.vid2vid.network import CompositeGenerator, GeneratorConfig

    config = config or GeneratorConfig()
    tensors = read_checkpoint(checkpoint)
    with torch.device("meta"):  # 1.5 GB that come from the checkpoint
        network = CompositeGenerator(config)
    match = load_by_name(network, tensors, {"": ""}, checkpoint)
    del tensors
    examples = {
        "edges": torch.zeros(1, config.frames * config.edges, size, size),
        "previous": torch.zeros(1, (config.frames - 1) * 3, size, size),
    }
    metadata = {
        "kind": KIND,
        "format": FORMAT,
        "source": checkpoint.name,
        "size": size,
        "frames": config.frames,
    }
    export_weights(output, network, examples, ["frame"], metadata)
    return match
