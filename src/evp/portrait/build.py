"""A target video -> a portrait bundle. Interrupted work is kept beside the output and goes on when asked again."""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.background import run_ahead
from evp.clock import FRAME_RATE
from evp.errors import FaceError, InputError, MissingExtraError
from evp.face.basis import FaceBasis
from evp.face.crop import CROP, Box, face_boxes, resized, scaled_points
from evp.face.head import Head, find_neutral, fit_head
from evp.face.layouts import FACE_OVAL
from evp.face.tracking import Span, Track, steady, track_faces
from evp.media import FilmWriter, check_output, probe, read_frames
from evp.portrait.bundle import KEYFRAME_EVERY, Consent, Manifest, Portrait, SourceFrames, playing_shot
from evp.portrait.evaluate import evaluate, held_out
from evp.portrait.registration import register
from evp.render.engine import RendererWeights, quantised
from evp.render.warp import WarpMesh

Progress = Callable[[str, int, int], None]
"""Called with the name of the stage, what is done of it, and how much there is."""

LEAST_SECONDS = 3.0
"""A shorter usable shot is refused."""
MOST_SECONDS = 60.0
"""Of longer footage only the beginning is used."""
FINE_TUNING_SECONDS = 400.0
"""Time that fine-tuning may take; the schedule is compressed to fit."""

_QUANTISED_ON = 48
"""Examples from which the ranges of a fine-tuned network's numbers are taken."""
_FINE_TUNING_STEPS = 1500
_FINE_TUNING_RATE = 4e-4
_MOST_SOURCES = 144
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 93]
"""Colour at half resolution: footage has no more."""
_FOOTAGE_CRF = 14
_LEAST_SHOT = FRAME_RATE
"""Shorter shots are left out."""
_BLUR_LIMIT = 0.8
"""A frame with less than this share of the usual detail in its face is moving too fast to give pixels."""


@dataclass(frozen=True)
class BuildReport:
    """What was kept, what was not, and how good the result is."""

    portrait: Path
    sheet: Path
    """Contact sheet: held-out frames, real above generated."""
    manifest: Manifest
    sources: int
    seconds: float

    def __str__(self) -> str:
        manifest, figures = self.manifest, self.manifest.held_out
        height, width = manifest.size
        lines = [
            f"{self.portrait}: {manifest.frames / FRAME_RATE:.1f} s of {width}x{height} kept "
            f"({len(manifest.shots)} shot{'s' * (len(manifest.shots) > 1)}), "
            f"{self.sources} source frames, built in {self.seconds:.0f} s"
            + (" (quick)" if manifest.quick else ""),
            *(f"at {span}" for span in manifest.left_out),
            f"held-out frames: face {figures['face_psnr']:.1f} dB, SSIM {figures['face_ssim']:.3f}; "
            f"mouth {figures['mouth_psnr']:.1f} dB, SSIM {figures['mouth_ssim']:.3f}; "
            f"flicker {figures.get('flicker', float('nan')):.2f} of the real footage's",
            f"contact sheet: {self.sheet}",
        ]
        return "\n".join(lines)


def build_portrait(
    footage: Path,
    output: Path,
    *,
    consent: str,
    quick: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> BuildReport:
    """Build a portrait from a video of one person, and write it to ``output``.

    ``consent`` says how the person shown has agreed; it is kept in the portrait. ``quick`` leaves out the fine-tuning
    of the renderer, which needs the ``train`` extra. Raises InputError, FaceError, OutputError, MissingExtraError.
    """
    began = time.monotonic()
    report = progress or (lambda *_: None)
    check_output(output)
    if not consent.strip():
        raise InputError("a portrait needs a statement of consent: how the person shown has agreed, and when")
    if not quick:
        _check_training()
    expected = probe(footage).frames
    work = output.with_name(f".{output.name}.building")
    _begin(work, footage, seed)
    try:
        track = _tracked(work, footage, lambda done: report("finding the face", done, max(done, expected)))
        shots, spare = _kept(track)
    except FaceError as error:
        shutil.rmtree(work)
        raise FaceError(f"{footage}: {error}") from error
    landmarks = np.concatenate([steady(track.landmarks[shot]) for shot in shots])
    ends = np.cumsum([shot.stop - shot.start for shot in shots]).tolist()
    borders = tuple(zip([0, *ends[:-1]], ends, strict=True))
    basis = FaceBasis.load()
    head = _head(basis, landmarks, borders)
    manifest = Manifest(
        source=footage.name, created=_now(), program=version("evp"), consent=Consent(consent.strip(), _now()),
        size=track.size, frames=len(landmarks), quick=quick,
        left_out=tuple(str(span) for span in sorted([*track.problems(), *spare], key=lambda span: span.first)),
        shots=borders,
    )  # fmt: skip
    film = work / "footage.mp4"
    boxes = tuple(box for begin, end in manifest.shots for box in face_boxes(head.pose[begin:end]))
    pictures, small = _cut(footage, film, shots, manifest, boxes, report)
    training = np.flatnonzero(~held_out(manifest.shots))
    head = _head(basis, _registered(basis, head, boxes, small, training, report), borders)
    chosen = _spread(basis, head, _sharp(small, training))
    sources = SourceFrames(chosen.astype(np.int32), tuple(pictures[n] for n in chosen))
    portrait = Portrait(manifest, head, sources, film.read_bytes(), None, cuts=boxes)
    if not quick:
        weights = _fine_tuned(portrait, pictures, training, work, seed, report)
        portrait = replace(portrait, weights=weights.exact, weights_int8=weights.int8)
    figures, sheet = evaluate(portrait, lambda done, total: report("checking held-out frames", done, total))
    portrait = replace(portrait, manifest=replace(manifest, held_out=figures), sheet=_jpeg(sheet).tobytes())
    portrait.save(output)
    sheet_path = output.with_suffix(".contact-sheet.jpg")
    sheet_path.write_bytes(portrait.sheet or b"")
    shutil.rmtree(work)
    return BuildReport(output, sheet_path, portrait.manifest, len(chosen), time.monotonic() - began)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _check_training() -> None:
    try:
        import evp.render.train  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            f"fine-tuning needs {error.name}: pip install 'evp[train]', or build with --quick"
        ) from error


def _begin(work: Path, footage: Path, seed: int) -> None:
    """Make the work folder, or keep it when it belongs to the same work."""
    digest = hashlib.sha256()
    with footage.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    identity = json.dumps({"sha256": digest.hexdigest(), "program": version("evp"), "seed": seed})
    label = work / "footage.json"
    if not label.exists() or label.read_text() != identity:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        label.write_text(identity)


def _tracked(work: Path, footage: Path, progress: Callable[[int], None]) -> Track:
    path = work / "track.npz"
    if path.exists():
        with np.load(path, allow_pickle=False) as stored:
            height, width = stored["size"].tolist()
            return Track(
                stored["landmarks"],
                tuple(stored["reasons"].tolist()),
                tuple(stored["cuts"].tolist()),
                (height, width),
            )
    track = track_faces(run_ahead(read_frames(footage)), progress)
    partial = work / "track.partial.npz"
    np.savez(
        partial, landmarks=track.landmarks, reasons=np.array(track.reasons, dtype=np.str_),
        cuts=np.array(track.cuts, np.int64), size=track.size,
    )  # fmt: skip
    partial.replace(path)
    return track


def _kept(track: Track) -> tuple[list[slice], list[Span]]:
    """The shots to use, all that are not too short until there is enough, and what is left out of the others."""
    least = track.longest_shot(round(LEAST_SECONDS * FRAME_RATE))
    kept, left_out, room = [], [], round(MOST_SECONDS * FRAME_RATE)
    for shot in track.shots():
        used = slice(shot.start, min(shot.stop, shot.start + room))
        if used.stop - used.start < min(_LEAST_SHOT, least.stop - least.start):
            left_out.append(
                Span(shot.start, shot.stop - 1, "a very short shot" if room else "there was enough")
            )
            continue
        kept.append(used)
        room -= used.stop - used.start
        if used.stop < shot.stop:
            left_out.append(Span(used.stop, shot.stop - 1, "there was enough"))
    return kept, left_out


def _cut(
    footage: Path,
    film: Path,
    shots: list[slice],
    manifest: Manifest,
    boxes: tuple[Box, ...],
    report: Progress,
) -> tuple[list[NDArray[np.uint8]], list[NDArray[np.uint8]]]:
    """Write the shots as the portrait's own film; also the face crops, as JPEG and (256, 256) in grey."""
    wanted = np.concatenate([np.arange(shot.start, shot.stop) for shot in shots])
    pictures: list[NDArray[np.uint8]] = []
    small: list[NDArray[np.uint8]] = []
    height, width = manifest.size
    with FilmWriter(
        film, width, height, None, crf=_FOOTAGE_CRF, preset="veryfast", keyframe_every=KEYFRAME_EVERY,
        read_back=True,
    ) as writer:  # fmt: skip
        for frame, picture in enumerate(run_ahead(islice(read_frames(footage), int(wanted[-1]) + 1))):
            if frame == wanted[len(pictures)]:
                writer.write(picture)
                crop = boxes[len(pictures)].cut(picture)
                pictures.append(_jpeg(crop))
                small.append(np.asarray(cv2.cvtColor(resized(crop, CROP), cv2.COLOR_RGB2GRAY), np.uint8))
                report("cutting the shots", len(pictures), len(boxes))
    return pictures, small


def _head(basis: FaceBasis, landmarks: NDArray[np.floating], shots: Sequence[tuple[int, int]]) -> Head:
    """The head in all shots, whose neutral face is that of the one which plays."""
    return fit_head(basis, landmarks, find_neutral(basis, landmarks[slice(*playing_shot(shots))]))


def _registered(
    basis: FaceBasis,
    head: Head,
    boxes: tuple[Box, ...],
    small: list[NDArray[np.uint8]],
    training: NDArray[np.int_],
    report: Progress,
) -> NDArray[np.float32]:
    """Picture meshes (T, 478, 3) that agree with the pictures, frame by frame."""

    def in_crops(points: NDArray[np.floating]) -> NDArray[np.float32]:
        return np.stack([
            scaled_points(box.points(own), CROP / box.size) for box, own in zip(boxes, points, strict=True)
        ])  # fmt: skip

    placed = register(
        WarpMesh.build(basis),
        in_crops(head.pose.project(head.neutral + head.displacement)),
        in_crops(head.pose.project(head.neutral[None, list(FACE_OVAL)])),
        small,
        basis.shape(basis.coefficients(head.displacement)),
        head.pose.angles(),
        training,
        lambda done, total: report("registering the frames", done, total),
    )
    landmarks = [
        box.picture_points(scaled_points(own, box.size / CROP))
        for box, own in zip(boxes, placed, strict=True)
    ]
    return np.stack(landmarks)


def _jpeg(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), _JPEG)[1].ravel()


def _sharp(small: list[NDArray[np.uint8]], frames: NDArray[np.int_]) -> NDArray[np.int_]:
    """``frames`` without the blurred ones: those whose face has much less detail than most."""
    detail = []
    for frame in frames:
        face = small[frame][CROP // 4 : -CROP // 8, CROP // 4 : -CROP // 4]
        detail.append(float(np.abs(cv2.Laplacian(face, cv2.CV_32F)).mean()))
    return frames[np.asarray(detail) >= _BLUR_LIMIT * np.median(detail)]


def _spread(basis: FaceBasis, head: Head, frames: NDArray[np.int_]) -> NDArray[np.int_]:
    """Up to 144 of ``frames`` that differ most in expression and pose (farthest-point sampling)."""
    expressions = basis.shape(basis.coefficients(head.displacement[frames]))
    where = np.concatenate([expressions, 0.0015 * head.pose.angles()[frames]], axis=1)
    chosen = [0]
    nearest = np.full(len(frames), np.inf)
    while len(chosen) < min(_MOST_SOURCES, len(frames)):
        nearest = np.minimum(nearest, np.linalg.norm(where - where[chosen[-1]], axis=1))
        chosen.append(int(np.argmax(nearest)))
    return frames[np.sort(np.unique(chosen))]


def _fine_tuned(
    portrait: Portrait,
    pictures: list[NDArray[np.uint8]],
    frames: NDArray[np.int_],
    work: Path,
    seed: int,
    report: Progress,
) -> RendererWeights:
    """The packaged renderer, trained further on ``frames`` of the portrait, of which all ``pictures`` are given."""
    from evp.render.dataset import Crops, example
    from evp.render.train import RenderConfig, export, fit, packaged

    small, landmarks, outline = [], [], []
    for frame in frames:
        crop = cv2.cvtColor(cv2.imdecode(pictures[frame], cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        view = portrait.view(int(frame), crop).small
        small.append(_jpeg(view.picture))
        landmarks.append(view.landmarks)
        outline.append(view.outline[:, :2])
    shot = np.concatenate([np.full(end - begin, n) for n, (begin, end) in enumerate(portrait.shots)])
    crops = Crops(
        small, np.stack(landmarks), np.stack(outline), portrait.head.pose.angles()[frames].astype(np.float32),
        portrait.basis.shape(portrait.aligner.coefficients[frames]), shot[frames].astype(np.int32),
        frames.astype(np.int32),
    )  # fmt: skip
    config = RenderConfig(
        steps=_FINE_TUNING_STEPS, learning_rate=_FINE_TUNING_RATE, seed=seed, seconds=FINE_TUNING_SECONDS
    )
    network = packaged()
    fit(
        network,
        [crops],
        config,
        work / "training.checkpoint",
        lambda done, total, _: report("learning", done, total),
    )
    export(network, work / "renderer.onnx", config)
    exact = (work / "renderer.onnx").read_bytes()
    rng, mesh = np.random.default_rng(seed), WarpMesh.build(portrait.basis)
    seen = (
        example(mesh, crops, int(number), rng)[0] for number in rng.integers(len(crops), size=_QUANTISED_ON)
    )
    return RendererWeights(exact, quantised(exact, seen))
