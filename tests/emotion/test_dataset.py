from pathlib import Path

import numpy as np
import pytest

from evp.audio.augment import AugmentConfig
from evp.audio.loudness import measure, normalised
from evp.audio.mel import log_mel_rows
from evp.audio.mfcc import mfcc
from evp.audio.windows import windows
from evp.corpora.manifest import ClipEntry, Manifest
from evp.emotion.dataset import (
    Batcher,
    ChangedWindow,
    classes_of,
    emotion_clips,
    group_speakers,
    plain_window,
    read_plain_recordings,
    read_recordings,
)
from evp.emotion.windows import COLUMNS, MFCC, WINDOW_ROWS, melody
from evp.errors import InputError
from tiny import voice

LABELS = ("angry", "sad")
AS_RECORDED = AugmentConfig(untouched=1, speed=0, masked_bands=0)


def clip(
    name: str, speaker: str, emotion: str | None, split: str = "train", voiced: bool = True
) -> ClipEntry:
    return ClipEntry(
        f"{name}.npz", speaker, name, 25, filmed=False, voiced=voiced, emotion=emotion, split=split
    )


def write(folder: Path, clips: list[ClipEntry]) -> Path:
    Manifest(tuple(clips)).write(folder)
    for entry in clips:
        np.savez(folder / entry.file, waveform=voice(1.5, 300 if entry.emotion == "angry" else 110))
    return folder


def test_clips_by_split_without_those_that_say_nothing(tmp_path: Path) -> None:
    write(tmp_path, [
        clip("a", "anna", "sad"), clip("b", "anna", None), clip("c", "anna", "sad", voiced=False),
        clip("d", "bert", "sad", "test"), clip("e", "carl", "angry"), clip("f", "anna", "angry"),
    ])  # fmt: skip
    clips = emotion_clips(tmp_path, leave_out=("carl", "f.npz"))
    assert [entry.source for entry in clips["train"]] == ["a"]
    assert [entry.source for entry in clips["test"]] == ["d"]


def test_speaker_in_two_splits_is_refused(tmp_path: Path) -> None:
    write(tmp_path, [clip("a", "anna", "sad"), clip("b", "anna", None, "test")])
    with pytest.raises(InputError, match="anna is in two splits"):
        emotion_clips(tmp_path)


def test_nothing_to_train_on_is_refused(tmp_path: Path) -> None:
    write(tmp_path, [clip("a", "anna", None), clip("b", "bert", "sad", "test")])
    with pytest.raises(InputError, match="no clip with sound and an emotion"):
        emotion_clips(tmp_path)


def test_class_needs_speakers() -> None:
    clips = [
        clip("a", "anna", "sad"),
        clip("b", "bert", "sad"),
        clip("c", "bert", "angry"),
        clip("d", "bert", "angry"),
    ]
    assert classes_of(clips, ("angry", "happy", "sad"), 2) == ("sad",)


def test_every_speaker_is_left_out_once_and_the_sexes_are_mixed() -> None:
    speakers = [f"Actor_{number:02}" for number in range(1, 21)]  # odd numbers are men
    groups = group_speakers(speakers, 4)
    assert sorted(speaker for group in groups for speaker in group) == speakers
    for group in groups:
        assert len(group) == 5 and 0 < sum(int(speaker[-2:]) % 2 for speaker in group) < 5
    assert group_speakers(speakers, 1) == [set()]


def test_batches_have_every_class_alike_and_follow_from_the_step(tmp_path: Path) -> None:
    write(tmp_path, [clip("a", "anna", "sad")] + [clip(f"b{n}", "anna", "angry") for n in range(5)])
    recordings = read_recordings(tmp_path, emotion_clips(tmp_path)["train"])
    batcher = Batcher(recordings, ("angry", "happy", "sad"), 8, ChangedWindow(10, AugmentConfig()))
    batch = batcher.batch(1, 2)
    assert batch.windows.shape == (8, WINDOW_ROWS, COLUMNS) and batch.windows.dtype == np.float32
    assert sorted(batch.classes) == [0] * 4 + [2] * 4  # nobody is happy
    np.testing.assert_array_equal(batch.windows, batcher.batch(1, 2).windows)
    assert not np.array_equal(batch.windows, batcher.batch(1, 3).windows)


def test_untouched_windows_are_heard_as_when_the_network_runs(tmp_path: Path) -> None:
    write(tmp_path, [clip("a", "anna", "sad")])
    recordings = read_recordings(tmp_path, emotion_clips(tmp_path)["train"])
    window = Batcher(recordings, ("sad",), 1, ChangedWindow(0, AS_RECORDED)).batch(0, 0).windows[0]
    waveform = voice(1.5, 110)
    span = -WINDOW_ROWS, 150 + WINDOW_ROWS
    rows = melody(waveform, normalised(log_mel_rows(waveform, *span), measure(waveform)), *span)
    differences = [np.abs(rows[n : n + WINDOW_ROWS] - window).mean() for n in range(len(rows) - WINDOW_ROWS)]
    assert min(differences) < 0.03


def test_the_papers_batches_are_windows_of_mfcc_as_recorded(tmp_path: Path) -> None:
    write(tmp_path, [clip("a", "anna", "sad"), clip("b", "bert", "angry"), clip("c", "bert", "angry")])
    np.savez(tmp_path / "c.npz", waveform=np.zeros(16000, np.float32))  # nobody speaks
    recordings = read_plain_recordings(tmp_path, emotion_clips(tmp_path)["train"], MFCC)
    assert [recording.speaker for recording in recordings] == ["anna", "bert"]
    batch = Batcher(recordings, LABELS, 16, plain_window).batch(0, 0)
    assert batch.windows.shape == (16, 28, 12) and sorted(batch.classes) == [0] * 8 + [1] * 8
    for number, hertz in enumerate((300, 110)):
        said = windows(mfcc(voice(1.5, hertz)), 38)
        for window in batch.windows[batch.classes == number]:
            assert np.abs(said - window).max(axis=(1, 2)).min() < 1e-4
