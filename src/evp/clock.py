"""The one home of time: sample rate, frame rate, feature rate, window.

Every other constant of time in the project is derived from these. Footage and sound at other rates
are converted at the border (:mod:`evp.media`).
"""

SAMPLE_RATE = 16_000
"""Samples per second of every waveform inside the project (mono, float32, range -1..1)."""

FRAME_RATE = 25
"""Video frames per second inside the project and in every film it writes."""

FEATURE_RATE = 100
"""Rows of sound features per second."""

WINDOW_ROWS = 28
"""Feature rows in the window of sound that belongs to one video frame (EVP: 28 rows at 100 Hz)."""

SAMPLES_PER_FRAME = SAMPLE_RATE // FRAME_RATE
SAMPLES_PER_ROW = SAMPLE_RATE // FEATURE_RATE
ROWS_PER_FRAME = FEATURE_RATE // FRAME_RATE

PADDING_ROWS = (WINDOW_ROWS - ROWS_PER_FRAME) // 2
"""Rows of silence before the sound that put frame k into the middle of window k."""

PADDING_SAMPLES = PADDING_ROWS * SAMPLES_PER_ROW

if SAMPLES_PER_FRAME * FRAME_RATE != SAMPLE_RATE:
    raise ValueError("the sample rate must be a multiple of the frame rate")
if SAMPLES_PER_ROW * FEATURE_RATE != SAMPLE_RATE:
    raise ValueError("the sample rate must be a multiple of the feature rate")
if ROWS_PER_FRAME * FRAME_RATE != FEATURE_RATE:
    raise ValueError("the feature rate must be a multiple of the frame rate")
if 2 * PADDING_ROWS + ROWS_PER_FRAME != WINDOW_ROWS:
    raise ValueError("a window must extend equally far to both sides of its frame")


def frames_for_samples(samples: int) -> int:
    """Video frames needed to show ``samples`` samples of sound: the last, partial frame counts."""
    return -(-samples // SAMPLES_PER_FRAME)
