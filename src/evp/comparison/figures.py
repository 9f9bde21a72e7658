"""What is measured: name, unit, which way is better, and what it means."""

from dataclasses import dataclass
from typing import Literal

Direction = Literal["less", "more", "one", "zero", "real"]
"""Which value is better: less, more, nearest to one, to zero, or to that of the real footage."""

ARROWS: dict[Direction, str] = {"less": "↓", "more": "↑", "one": "→ 1", "zero": "→ 0", "real": "→ real"}


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    key: str
    name: str
    unit: str
    direction: Direction
    meaning: str
    digits: int = 2


GROUPS: dict[str, tuple[Figure, ...]] = {
    "As in the paper": (
        Figure("m_ld", "M-LD", "px", "less",
               "Mean distance of the 20 lip landmarks, in pixels of a 256-pixel face crop; head motion taken out."),
        Figure("m_lvd", "M-LVD", "px/frame", "less",
               "Mean difference of the lip landmarks' velocities from frame to frame."),
        Figure("f_ld", "F-LD", "px", "less", "As M-LD, over all 106 landmarks of the face."),
        Figure("f_lvd", "F-LVD", "px/frame", "less", "As M-LVD, over all 106 landmarks of the face."),
        Figure("m_ld_eyes", "M-LD / eyes", "% of eye distance", "less",
               "M-LD as a fraction of the distance between the outer corners of the eyes."),
        Figure("m_lvd_eyes", "M-LVD / eyes", "% of eye distance/frame", "less", "M-LVD as a fraction of the same."),
        Figure("f_ld_eyes", "F-LD / eyes", "% of eye distance", "less", "F-LD as a fraction of the same."),
        Figure("f_lvd_eyes", "F-LVD / eyes", "% of eye distance/frame", "less", "F-LVD as a fraction of the same."),
        Figure("ssim", "SSIM", "", "more", "Structural similarity of the face, both brought upright into the crop.", 3),
        Figure("psnr", "PSNR", "dB", "more", "Peak signal-to-noise ratio of the same pixels."),
        Figure("mouth_ssim", "SSIM, mouth", "", "more", "The same in the box of the mouth.", 3),
        Figure("mouth_psnr", "PSNR, mouth", "dB", "more", "The same in the box of the mouth."),
        Figure("fid", "FID", "", "less",
               "Fréchet distance of all face crops' Inception features; falls with the number of frames.", 1),
    ),
    "The mouth and the sound": (
        Figure("opening_r", "Lip opening, r", "", "more",
               "Correlation of the gap between the lips with the real one, as timed."),
        Figure("opening_lag", "Lip opening, lag", "frames", "zero",
               "Shift, within 6 frames of 40 ms, at which the openings agree best; positive: generated is late.", 1),
        Figure("width_r", "Lip width, r", "", "more",
               "Correlation of the distance of the mouth corners with the real one."),
        Figure("width_lag", "Lip width, lag", "frames", "zero", "Shift at which the widths agree best.", 1),
        Figure("opening_travel", "Travel of the opening", "of the real one", "one",
               "Standard deviation of the opening over that of the real one: 0.5 is a mouth that moves half as far."),
        Figure("width_travel", "Travel of the width", "of the real one", "one", "The same for the width."),
        Figure("closures", "Closed on m, b, p", "%", "more",
               "Share of these sounds in which the inner lips come within 2 % of face height.", 0),
        Figure("silence", "Motion in silence", "% of face height/s", "real",
               "Mean speed of the lip landmarks while nothing is said; the tracker's own noise is in it."),
        Figure("lse_c", "LSE-C", "", "more", "SyncNet's confidence: median less least distance over shifts."),
        Figure("lse_d", "LSE-D", "", "less", "SyncNet's distance of lips and sound at the best shift."),
    ),
    "The picture": (
        Figure("flicker", "Flicker", "levels", "real",
               "Mean second difference in time of forehead and cheeks, of 255; head motion is in it."),
        Figure("jitter", "Jitter", "% of face height", "real",
               "Root mean square second difference in time of landmarks that neither speech nor lids move.", 3),
        Figure("mouth_sharpness", "Sharpness of the mouth", "of the real one", "one",
               "Fine detail (Laplacian) in the mouth's box over that of the real footage."),
        Figure("seam", "Seam", "levels", "less",
               "Step of brightness around the face, at the size where it exceeds the real footage's most.", 1),
    ),
    "The person": (
        Figure("identity_drift", "Drift of the face's shape", "% of face height", "less",
               "Distance of the two films' neutral faces, root mean square over 468 landmarks."),
        Figure("identity", "Identity similarity", "cosine", "more",
               "Of the given network's codes of the same frames.", 3),
        Figure("blinks", "Blinks", "a minute", "real", "How often the eyes close for less than a second.", 0),
    ),
    "Emotion": (
        Figure("emotion_agrees", "Seen as it is heard", "% of films", "more",
               "The emotion nearest to what the face shows is the one heard in the sound; calm counts as neutral.", 0),
        Figure("emotion_asked", "Seen as it was asked for", "% of films", "more",
               "The emotion nearest to what the face shows is the one that was asked for.", 0),
    ),
}  # fmt: skip
"""Heading -> its figures, in the order of the table."""

FIGURES: dict[str, Figure] = {figure.key: figure for group in GROUPS.values() for figure in group}
