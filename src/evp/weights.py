"""Trained networks on disk: ONNX files that carry their own configuration and checksum.

A weights file is an ordinary ONNX model with two entries at the end of its ``metadata_props``: ``evp``, the
metadata as JSON, and ``evp_sha256``, the SHA-256 of every byte before that entry. Weights therefore never
travel without their configuration, any ONNX tool can read them, and damage is found before they are used.
"""

import hashlib
import io
import json
import logging
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from evp.errors import MissingExtraError, WeightsError
from evp.files import write_whole

if TYPE_CHECKING:
    import torch

METADATA_KEY = "evp"
CHECKSUM_KEY = "evp_sha256"

FOLDER_VARIABLE = "EVP_WEIGHTS"
"""Environment variable that names a folder with weights to use instead of the packaged ones of the same names."""

_PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")
"""Devices in the order of preference; which are there depends on the onnxruntime package that is installed."""

_SMALL = 1000
"""Arrays with fewer numbers are not worth halving."""
_FEW = 10_000
"""Matrices with fewer numbers are not worth the coarse steps of a byte, which weights of a ridge do not bear."""
_HALF_MOST = 6e4
"""Largest number in half precision, and a little less."""

Engine = Literal["onnxruntime", "openvino"]
"""What can run a network."""


@dataclass(frozen=True)
class Session:
    """A network ready to run, and the metadata that was stored with it."""

    inference: Any
    """The engine's own: an onnxruntime session, or what can be run as one."""
    metadata: dict[str, Any]

    def run(self, **inputs: NDArray[Any]) -> list[NDArray[Any]]:
        """The network's outputs, in their stored order, for inputs given by name."""
        outputs: list[NDArray[Any]] = self.inference.run(None, inputs)
        return outputs


def weights_file(package: str, name: str) -> Path:
    """The weights ``name``: in the folder that EVP_WEIGHTS names, if they are there, else those in ``package``.

    Raises WeightsError when the variable names no folder.
    """
    if given := os.environ.get(FOLDER_VARIABLE):
        folder = Path(given)
        if not folder.is_dir():
            raise WeightsError(f"{FOLDER_VARIABLE} is {given!r}, which is no folder")
        if (folder / name).exists():
            return folder / name
    return Path(str(files(package))) / name


def load_session(path: Path, threads: int = 0) -> Session:
    """Open the weights file at ``path``; ``threads`` 0 lets the engine use every core. The last few are kept open.

    Raises WeightsError when the file is missing, damaged, or not a weights file of this program.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"cannot read the weights {path}: {error.strerror}") from error
    return _kept_session(content, str(path), threads)


@lru_cache(maxsize=4)
def _kept_session(content: bytes, name: str, threads: int) -> Session:
    return open_session(content, name, threads)


def open_session(content: bytes, name: str, threads: int = 0, engine: Engine = "onnxruntime") -> Session:
    """Open weights held in memory (such as a member of a portrait bundle); ``name`` is for messages.

    Raises WeightsError, and MissingExtraError when the ``engine`` is not installed.
    """
    _verify(content, name)
    try:
        if engine == "openvino":
            network = _OpenVino(content, threads)
            return Session(network, json.loads(network.described))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        providers = [provider for provider in _PROVIDERS if provider in onnxruntime.get_available_providers()]
        inference = onnxruntime.InferenceSession(content, options, providers=providers)
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"this engine needs {error.name}: pip install 'evp[openvino]'") from error
    except Exception as error:  # the engines' own exceptions share no narrower base class
        raise WeightsError(f"the weights {name} are not a network that can run here") from error
    return Session(inference, json.loads(inference.get_modelmeta().custom_metadata_map[METADATA_KEY]))


def runs_on_cuda() -> bool:
    """Whether networks run on a graphics card, in full precision."""
    return _PROVIDERS[0] in onnxruntime.get_available_providers()


class _OpenVino:
    """A network in OpenVINO, which is used as an onnxruntime session is."""

    def __init__(self, content: bytes, threads: int) -> None:
        import openvino

        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1}
        model = openvino.Core().read_model(io.BytesIO(content))
        self.described: str = model.get_rt_info(["framework", METADATA_KEY]).astype(str)
        self._request = openvino.compile_model(model, "CPU", settings).create_infer_request()

    def run(self, _: None, inputs: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """All outputs."""
        return [np.array(output) for output in self._request.infer(inputs, share_inputs=True).values()]


def seal(model: bytes, metadata: Mapping[str, Any]) -> bytes:
    """The content of a weights file: a serialised ONNX ``model`` with its metadata and checksum.

    Repeated protobuf fields may be appended to a serialised message, so the model itself is not parsed.
    ``metadata`` must be representable as JSON.
    """
    described = model + _metadata_entry(METADATA_KEY, json.dumps(metadata, sort_keys=True))
    return described + _checksum_entry(described)


def save_weights(path: Path, model: bytes, metadata: Mapping[str, Any]) -> None:
    """Write a serialised ONNX ``model`` with its ``metadata``; ``path`` appears only when it is whole.

    Raises OutputError when the file cannot be written.
    """
    write_whole(path, seal(model, metadata))


def save_arrays(path: Path, **arrays: Any) -> None:
    """Write a compressed archive of plain arrays; ``path`` appears only when it is whole. Raises OutputError."""
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    write_whole(path, content.getvalue())


def export_weights(
    path: Path,
    module: "torch.nn.Module",
    inputs: Mapping[str, "torch.Tensor"],
    output_names: list[str],
    metadata: Mapping[str, Any],
    dynamic_shapes: Mapping[str, dict[int, Any]] | None = None,
    half: bool = False,
    eight_bits: bool = False,
) -> None:
    """Write a torch ``module`` as a weights file. Needs torch: for training only.

    ``inputs`` are examples, keyed by the argument names of ``forward``, in order; ``dynamic_shapes`` gives the
    axes of free length (``torch.export.Dim``) per input. ``half`` stores the numbers in half precision: a file of half
    the size, which calculates in single precision all the same. ``eight_bits`` stores matrices in a byte each number.
    """
    import torch

    logging.getLogger("torch.onnx").setLevel(
        logging.ERROR
    )  # it warns that torchvision, not needed here, is missing
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of torch's own, about torch's own
        program = torch.onnx.export(
            module.eval(),
            kwargs=dict(inputs),
            input_names=list(inputs),
            output_names=output_names,
            dynamic_shapes=None if dynamic_shapes is None else dict(dynamic_shapes),
            dynamo=True,
            external_data=False,
            verbose=False,
            custom_translation_table={torch.ops.aten.pixel_unshuffle.default: _pixel_unshuffle},
        )
    if program is None:
        raise RuntimeError("torch.onnx.export returned no program")
    model = program.model_proto
    # The exporter notes the source file of every node: paths of the machine that trained.
    for described in (
        *model.graph.node,
        *model.graph.value_info,
        *model.graph.input,
        *model.graph.output,
        model.graph,
    ):
        described.ClearField("metadata_props")
        described.ClearField("doc_string")
    _merge_equal(model.graph)
    if eight_bits:
        to_eight_bits(model)
    if half:
        halve(model)
    save_weights(path, model.SerializeToString(), metadata)


def halve(model: Any) -> None:
    """Store the large arrays of an ONNX ``model`` (ModelProto) in half precision; they are widened when it is opened.

    Needs the package onnx: for training only.
    """
    import onnx

    graph = model.graph
    for array in graph.initializer:
        values = onnx.numpy_helper.to_array(array)
        if values.dtype != np.float32 or values.size < _SMALL or np.abs(values).max() > _HALF_MOST:
            continue
        name = array.name
        array.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        graph.node.insert(0, onnx.helper.make_node("Cast", [array.name], [name], to=onnx.TensorProto.FLOAT))


def to_eight_bits(model: Any) -> None:
    """Store the large matrices of an ONNX ``model`` (ModelProto) in a byte each number and a scale for each column.

    They are widened when the file is opened. Columns are those of the axis that makes the smaller error. Needs the
    package onnx: for training only.
    """
    import onnx

    graph = model.graph
    for array in list(graph.initializer):
        values = onnx.numpy_helper.to_array(array)
        if values.dtype != np.float32 or values.size < _FEW or values.ndim < 2:
            continue
        scales = [np.abs(values).max(axis=other, keepdims=True) / 127 + 1e-30 for other in _but_one(values)]
        scale = min(
            scales, key=lambda scale: float(np.square(values - np.rint(values / scale) * scale).sum())
        )
        name = array.name
        array.CopyFrom(onnx.numpy_helper.from_array(np.rint(values / scale).astype(np.int8), f"{name}.byte"))
        graph.initializer.append(onnx.numpy_helper.from_array(scale.astype(np.float32), f"{name}.scale"))
        wide = onnx.helper.make_node("Cast", [array.name], [f"{name}.wide"], to=onnx.TensorProto.FLOAT)
        graph.node.insert(0, onnx.helper.make_node("Mul", [f"{name}.wide", f"{name}.scale"], [name]))
        graph.node.insert(0, wide)


def _but_one(values: NDArray[np.floating]) -> list[tuple[int, ...]]:
    """For each of the first and the last axis, all the others."""
    axes = range(values.ndim)
    return [tuple(axis for axis in axes if axis != kept) for kept in (0, values.ndim - 1)]


def _merge_equal(graph: Any) -> None:
    """What several parts of a network have alike is stored once, so that the engine can compute with it once."""
    names: dict[tuple[Any, ...], str] = {}
    renamed = {}
    for tensor in graph.initializer:
        content = (tensor.data_type, tuple(tensor.dims), bytes(tensor.raw_data))
        if tensor.raw_data and names.setdefault(content, tensor.name) != tensor.name:
            renamed[tensor.name] = names[content]
    kept = [tensor for tensor in graph.initializer if tensor.name not in renamed]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    for node in graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = renamed.get(name, name)


def _pixel_unshuffle(picture: Any, factor: int) -> Any:
    """How pixel unshuffling is written, for ONNX: the exporter's own way, six axes transposed, takes six times as long.

    Only whole planes change their places here. (A Gather of them would do, but OpenVINO 2026.4 gets that wrong.)
    """
    from onnxscript import opset18 as onnx

    unordered = onnx.SpaceToDepth(
        picture, blocksize=factor
    )  # (place, channel) where (channel, place) is wanted
    split: Any = [0, factor * factor, picture.shape[1], -1]
    ordered = onnx.Transpose(onnx.Reshape(unordered, split), perm=[0, 2, 1, 3])
    return onnx.Reshape(ordered, onnx.Shape(unordered))


def _verify(content: bytes, name: str) -> None:
    tail_length = len(_checksum_entry(b""))
    described, tail = content[:-tail_length], content[-tail_length:]
    if CHECKSUM_KEY.encode() not in tail:
        raise WeightsError(f"{name} is not a weights file of this program, or it was cut off")
    if tail != _checksum_entry(described):
        raise WeightsError(f"the weights {name} are damaged: the checksum does not match")


def _checksum_entry(described: bytes) -> bytes:
    return _metadata_entry(CHECKSUM_KEY, hashlib.sha256(described).hexdigest())


def _metadata_entry(key: str, value: str) -> bytes:
    """One serialised ``metadata_props`` entry (field 14 of ModelProto: key is field 1, value field 2)."""
    return _length_delimited(14, _length_delimited(1, key.encode()) + _length_delimited(2, value.encode()))


def _length_delimited(field: int, payload: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(payload)) + payload


def _varint(number: int) -> bytes:
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    groups.append(number)
    return bytes(groups)
