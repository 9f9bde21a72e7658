"""Checks a finished film against the speech it was made from: length, sound, and a face in every tenth frame.

    python scripts/check_film.py out/demo.mp4 speech.flac

Reads both files with PyAV itself, so that a fault of evp.media cannot hide. Exits with 1 and says what is wrong.
"""

import sys
from pathlib import Path

import av
import mediapipe
import numpy as np

FRAME_RATE = 25
LOOK_EVERY = 10


def sound_length(path: Path) -> tuple[float, float]:
    """Seconds of sound in a media file, and its root mean square level (full scale 1)."""
    with av.open(str(path), "r") as container:
        resampler = av.AudioResampler("flt", "mono", 16_000, frame_size=16_000)
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
        frames += resampler.resample(None)
    waveform = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    return waveform.size / 16_000, float(np.sqrt(np.mean(waveform.astype(np.float64) ** 2)))


def faults(film: Path, speech: Path) -> list[str]:
    """What is wrong with ``film``; nothing, if all is well."""
    expected, _ = sound_length(speech)
    heard, level = sound_length(film)
    found = []
    if abs(heard - expected) > 1 / FRAME_RATE:
        found.append(f"its sound lasts {heard:.3f} s, the speech {expected:.3f} s")
    if level < 1e-3:
        found.append(f"its sound is silent: level {level:.5f}")
    with av.open(str(film), "r") as container:
        stream = container.streams.video[0]
        if stream.average_rate != FRAME_RATE:
            found.append(f"it has {stream.average_rate} frames a second, not {FRAME_RATE}")
        if not {"title", "comment"} <= container.metadata.keys():
            found.append("its metadata does not say that it is generated")
        count = 0
        with mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1) as mesh:
            for frame in container.decode(video=0):
                face = (
                    count % LOOK_EVERY or mesh.process(frame.to_ndarray(format="rgb24")).multi_face_landmarks
                )
                if not face:
                    found.append(f"there is no face in frame {count}")
                count += 1
    if abs(count - expected * FRAME_RATE) > 1:
        found.append(f"it has {count} frames for {expected:.3f} s of speech")
    return found


if __name__ == "__main__":
    problems = faults(Path(sys.argv[1]), Path(sys.argv[2]))
    for problem in problems:
        print(f"{sys.argv[1]}: {problem}", file=sys.stderr)
    if not problems:
        print(f"{sys.argv[1]} is sound")
    sys.exit(bool(problems))
