"""Runs an imported generator of vid2vid: a target's frames and new landmarks in, frames out; slow on a CPU."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.errors import InputError, WeightsError
from evp.media import FilmWriter, read_frames, read_speech
from evp.original.alignment import ping_pong
from evp.original.parameters import read_landmark_files
from evp.original.vid2vid.edges import crop_box, edge_map
from evp.weights import Session, load_session

KIND, FORMAT = "vid2vid-generator", 1


@dataclass(frozen=True)
class Generator:
    """vid2vid's composite generator, imported by :func:`evp.original.vid2vid.convert.import_generator`."""

    session: Session
    size: int
    """Side of its pictures."""
    frames: int
    """Edge maps it looks at; it begins after one frame less of the target."""

    @staticmethod
    def load(path: Path, threads: int = 0) -> "Generator":
        """Raises WeightsError when the file is not an imported generator."""
        session = load_session(path, threads)
        if (session.metadata.get("kind"), session.metadata.get("format")) != (KIND, FORMAT):
            raise WeightsError(f"{path} is not a generator of format {FORMAT} from 'evp import-vid2vid'")
        return Generator(session, session.metadata["size"], session.metadata["frames"])

    def draw(
        self, edges: Iterable[NDArray[np.uint8]], previous: Iterable[NDArray[np.uint8]]
    ) -> NDArray[np.uint8]:
        """The next frame (S, S, 3) RGB after those of ``previous``, for edge maps (15, S, S) of them and of itself."""
        seen = np.concatenate([edge.astype(np.float32) / 255 for edge in edges])
        before = np.concatenate(
            [frame.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1 for frame in previous]
        )
        (made,) = self.session.run(edges=seen[None], previous=before[None])
        return np.clip((made[0].transpose(1, 2, 0) + 1) * 127.5, 0, 255).round().astype(np.uint8)


def render(
    generator: Generator, pictures: Iterable[NDArray[np.uint8]], landmarks: NDArray[np.floating]
) -> Iterator[NDArray[np.uint8]]:
    """Frames (S, S, 3) RGB of the face in the target's ``pictures`` (H, W, 3) with ``landmarks`` (T, 106, 2) pixels.

    The pictures give the background's edges, forwards and backwards, and the first two frames, which are its own. The
    square around the face of the first frame is what is made.
    """
    edges: deque[NDArray[np.uint8]] = deque(maxlen=generator.frames)
    made: deque[NDArray[np.uint8]] = deque(maxlen=generator.frames - 1)
    for points, crop in _crops(pictures, landmarks):
        edges.append(np.stack([_fitted(channel, generator.size) for channel in edge_map(points, crop)]))
        begun = len(edges) == generator.frames
        made.append(generator.draw(edges, made) if begun else _fitted(crop, generator.size))
        yield made[-1]


def render_file(
    generator: Path,
    footage: Path,
    landmarks: Path,
    output: Path,
    *,
    speech: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Make the film ``output`` of the person in ``footage`` with the landmarks of a folder of "x,y" texts.

    ``footage`` is for :func:`read_pictures`. ``progress`` is called with frames done and frames in all. Raises EvpError
    for anything the user can mend.
    """
    network, wanted = Generator.load(generator), read_landmark_files(landmarks)
    waveform = None if speech is None else read_speech(speech)
    with FilmWriter(output, network.size, network.size, waveform) as film:
        for done, frame in enumerate(render(network, read_pictures(footage), wanted), start=1):
            film.write(frame)
            if progress is not None:
                progress(done, len(wanted))


def read_pictures(footage: Path) -> Iterator[NDArray[np.uint8]]:
    """The pictures (H, W, 3) RGB of a film, or of a folder of ``0.jpg``, ``1.jpg`` and so on. Raises InputError."""
    if not footage.is_dir():
        yield from read_frames(footage)
        return
    for number in count():
        names = (f"{number}.jpg", f"{number}.png", f"{number:06d}.jpg", f"{number:06d}.png")
        found = next((footage / name for name in names if (footage / name).exists()), None)
        if found is None:
            break
        yield next(read_frames(found))


def _crops(
    pictures: Iterable[NDArray[np.uint8]], landmarks: NDArray[np.floating]
) -> Iterator[tuple[NDArray[np.floating], NDArray[np.uint8]]]:
    """Landmarks and picture of every frame in the square around the first face; kept packed, to play backwards."""
    kept: list[NDArray[np.uint8]] = []
    box = None
    for points, picture in zip(landmarks, islice(pictures, len(landmarks)), strict=False):
        box = box or crop_box(points, (picture.shape[0], picture.shape[1]))
        crop = box.cut(picture)
        kept.append(cv2.imencode(".png", crop)[1])
        yield box.points(points), crop
    if box is None:
        raise InputError("there are no pictures of the target")
    for number, points in list(zip(ping_pong(len(kept), len(landmarks)), landmarks, strict=True))[
        len(kept) :
    ]:
        yield box.points(points), cv2.imdecode(kept[number], cv2.IMREAD_UNCHANGED)


def _fitted(picture: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """A square crop or edge map at the network's size: lines of a pixel fade, and none is lost."""
    method = cv2.INTER_AREA if size < len(picture) else cv2.INTER_LINEAR
    return cv2.resize(picture, (size, size), interpolation=method)
