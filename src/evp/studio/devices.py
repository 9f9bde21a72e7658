"""What jobs can run on: one at a time on each."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_GPUS = Path("/proc/driver/nvidia/gpus")


def devices(gpus: Path = _GPUS) -> tuple[str, ...]:
    """The numbers of the GPUs when the engine that uses them is installed, or else the processor."""
    try:
        version("onnxruntime-gpu")
    except PackageNotFoundError:
        return ("cpu",)
    count = len(list(gpus.iterdir())) if gpus.is_dir() else 0
    return tuple(map(str, range(count))) or ("cpu",)
