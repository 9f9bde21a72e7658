"""Which engine runs the renderer's network, and in which numbers: the fastest that gives the same pixels."""

import hashlib
import logging
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from evp.weights import Engine, Session, open_session, runs_on_cuda, seal, weights_file

Numbers = Literal["fp32", "int8"]
"""What a network calculates with; weights are made in fp32."""

EXACT_KEY = "of"
"""In the metadata of int8 weights: SHA-256 of the fp32 weights that they were made from."""


@dataclass(frozen=True)
class Way:
    """One way to run a network."""

    engine: Engine
    numbers: Numbers


EXACT = Way("onnxruntime", "fp32")
"""What the others are compared with."""


def installed() -> tuple[Way, ...]:
    """All ways there are here, the fastest first. On a graphics card, fp32 is.

    OpenVINO takes a tenth less time for a frame than onnxruntime, and half a second more to begin: it comes last.
    """
    ways = [Way("onnxruntime", "int8"), EXACT]
    if find_spec("openvino") is not None:
        ways += [Way("openvino", "int8"), Way("openvino", "fp32")]
    return (EXACT,) if runs_on_cuda() else tuple(ways)


@dataclass(frozen=True)
class RendererWeights:
    """A renderer's network, in one or both kinds of numbers: the contents of weights files."""

    exact: bytes
    """fp32."""
    int8: bytes | None = None

    @staticmethod
    def packaged() -> "RendererWeights":
        """Those that ship with the program, unless others are to be used (:func:`evp.weights.weights_file`)."""
        exact, small = (weights_file("evp.render", name) for name in ("renderer.onnx", "renderer.int8.onnx"))
        return RendererWeights(exact.read_bytes(), small.read_bytes() if small.exists() else None)

    def ways(self) -> list[Way]:
        """The ways to run it here, the fastest first; int8 weights made from another network do not count."""
        return [way for way in installed() if way.numbers == "fp32" or self._matched]

    def open(self, name: str, way: Way | None = None, threads: int = 0) -> Session:
        """Ready to run in the fastest ``way``, unless one is given. Raises WeightsError, MissingExtraError."""
        way = way or self.ways()[0]
        content = self.exact if way.numbers == "fp32" or self.int8 is None else self.int8
        return open_session(content, name, threads, way.engine)

    @cached_property
    def _matched(self) -> bool:
        """Whether the int8 weights are those of the exact ones; looked for in the file, whose metadata is JSON."""
        return self.int8 is not None and hashlib.sha256(self.exact).hexdigest().encode() in self.int8


def quantised(exact: bytes, inputs: Iterable[NDArray[np.float32]]) -> bytes:
    """The int8 weights of fp32 ones: every convolution, its ranges taken from ``inputs`` (11, H, W). Needs evp[train].

    Weights have 7 bits, since processors without dot products of bytes would overflow with 8.
    """
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._left: Iterator[NDArray[np.float32]] = iter(inputs)

        def get_next(self) -> dict[str, NDArray[Any]] | None:
            picture = next(self._left, None)
            return None if picture is None else {"inputs": picture[None]}

    metadata = open_session(exact, "to quantise").metadata
    model = onnx.load_from_string(exact)
    model.ClearField("metadata_props")
    with tempfile.TemporaryDirectory() as folder:
        whole, small = Path(folder) / "fp32.onnx", Path(folder) / "int8.onnx"
        onnx.save(model, whole)
        with _without_advice():
            quantize_static(
                whole, small, Reader(), quant_format=QuantFormat.QDQ, per_channel=True, reduce_range=True,
                activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, op_types_to_quantize=["Conv"],
            )  # fmt: skip
        model = onnx.load(small)
    model.ClearField("metadata_props")
    return seal(model.SerializeToString(), {**metadata, EXACT_KEY: hashlib.sha256(exact).hexdigest()})


@contextmanager
def _without_advice() -> Iterator[None]:
    """The quantiser tells everybody through the root logger how its networks could be prepared better."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
