"""Sound for silent clips: that of a clip in which the same sentence is said, brought to the timing of the lips."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evp.audio.warping import matching_rows
from evp.clock import SAMPLES_PER_FRAME
from evp.corpora.manifest import ClipEntry, Manifest

_EASE_FRAMES = 5
"""Frames over which matched times are averaged: lips that hold still do not say where in the sentence they are."""
_STILL_FRAMES = 15
"""Lips that match one moment for so long are not speech of the same timing: such a clip stays silent."""
_HOP = 256
_GRAIN = 2 * _HOP
"""Samples that are moved as a whole: 32 ms, two periods of a low voice."""
_SEARCH = 160
"""Samples by which a grain may lie beside its place to continue the one before."""
_MARGIN = _GRAIN + _SEARCH


def lend_sound(corpus: Path, manifest: Manifest) -> Manifest:
    """Give sound to the silent filmed clips of a prepared corpus whose sentence another clip says with sound.

    A lender of the same speaker, then of the same emotion, is preferred. An archive that gets sound is written anew
    with the mark ``borrowed``, which the manifest that is returned has too. A clip whose lips do not follow the
    lender's stays silent.
    """
    lenders = [clip for clip in manifest.clips if clip.filmed and clip.voiced and not clip.borrowed]
    return replace(manifest, clips=tuple(_lent(corpus, clip, lenders) for clip in manifest.clips))


def _lent(corpus: Path, clip: ClipEntry, lenders: Iterable[ClipEntry]) -> ClipEntry:
    """The clip's entry, and its archive, with sound if there is any to borrow."""
    matching = [lender for lender in lenders if lender.sentence == clip.sentence is not None]
    if clip.voiced or not matching:
        return clip
    lender = min(matching, key=lambda other: (other.speaker != clip.speaker, other.emotion != clip.emotion))
    with np.load(corpus / clip.file) as silent, np.load(corpus / lender.file) as voiced:
        times = matched_times(silent["opening"], voiced["opening"])
        if _stands_still(times):
            return clip
        arrays = {**silent, "waveform": retimed_sound(voiced["waveform"], times), "borrowed": True}
    partial = corpus / f".{clip.file}.partial.npz"
    np.savez(partial, **arrays)
    partial.replace(corpus / clip.file)
    return replace(clip, voiced=True, borrowed=True)


def matched_times(opening: NDArray[np.floating], other: NDArray[np.floating]) -> NDArray[np.float64]:
    """When ``other`` (frames,) opens as every frame of ``opening`` (frames,) does: (frames,), in frames, rising."""
    rows = matching_rows(_standardised(opening), _standardised(other)).astype(np.float64)
    around = np.pad(rows, _EASE_FRAMES // 2, mode="edge")
    return np.convolve(around, np.full(_EASE_FRAMES, 1 / _EASE_FRAMES), mode="valid")


def _stands_still(times: NDArray[np.float64]) -> bool:
    return len(times) > _STILL_FRAMES and float((times[_STILL_FRAMES:] - times[:-_STILL_FRAMES]).min()) < 1


def _standardised(opening: NDArray[np.floating]) -> NDArray[np.float64]:
    """(frames, 2): opening and its speed, whatever the size of the mouth."""
    columns = np.stack([opening, np.gradient(opening)], axis=1, dtype=np.float64)
    return columns / (columns.std(axis=0) + 1e-9)


def retimed_sound(waveform: NDArray[np.floating], times: NDArray[np.floating]) -> NDArray[np.float32]:
    """Sound whose frame k is what ``waveform`` (samples,) has at frame ``times[k]``, its pitch unchanged: (samples,).

    Grains are laid over one another, each taken from where it best continues the one before (WSOLA, Verhelst and
    Roelands 1993).
    """
    samples = len(times) * SAMPLES_PER_FRAME
    centres = np.arange(0, samples + _HOP, _HOP)
    frames = np.arange(len(times) + 2) - 0.5  # the middle of every frame, and half a frame more at both ends
    lasting = np.concatenate([times[:1] - 1, times, times[-1:] + 1]) + 0.5
    wanted = np.interp(centres / SAMPLES_PER_FRAME, frames, lasting) * SAMPLES_PER_FRAME
    wanted = wanted.round().astype(int).clip(0, len(waveform))
    source = np.pad(waveform, (_MARGIN, _MARGIN + _HOP))
    window = np.hanning(_GRAIN + 1)[:-1]
    result = np.zeros(centres[-1] + _GRAIN)
    follows = _grain(source, wanted[0])
    for centre, near in zip(centres, wanted, strict=True):
        around = source[near + _MARGIN - _HOP - _SEARCH :][: _GRAIN + 2 * _SEARCH]
        place = near - _SEARCH + int(np.argmax(np.correlate(around, follows, mode="valid")))
        place = min(max(place, 0), len(waveform))
        result[centre : centre + _GRAIN] += window * _grain(source, place)
        follows = _grain(source, place + _HOP)
    return result[_HOP:][:samples].astype(np.float32)


def _grain(source: NDArray[np.floating], centre: int) -> NDArray[np.floating]:
    """The samples around ``centre`` of the sound that was padded by the margin."""
    return source[centre + _MARGIN - _HOP :][:_GRAIN]
