from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest

from evp.audio.mfcc import mfcc
from evp.corpora.manifest import ClipEntry, Manifest
from evp.corpora.phones import Phone
from evp.emotion.disentangle.dataset import Fours, Manner, read_recordings, said_when, spoken_frames
from evp.emotion.disentangle.hearing import ContentEar
from evp.errors import InputError
from planted import recording, recordings


@pytest.mark.parametrize("sentences", [("dogs", "kids"), ("a", "b", "c")])
def test_every_four_is_what_the_paper_says(sentences):
    fours, random = Fours(recordings(("anna", "bert"), sentences)), np.random.default_rng(0)
    drawn = [fours.draw(random) for _ in range(300)]
    for four in drawn:
        assert len({x.speaker for x in (four.x1, four.x2, four.x3, four.x4)}) == 1
        assert four.x1.manner == four.x2.manner and four.x3.manner == four.x4.manner
        assert four.x1.manner.emotion != four.x4.manner.emotion
        assert four.x1.sentence == four.x4.sentence
        assert four.x1.sentence not in (four.x2.sentence, four.x3.sentence)
        assert len(sentences) == 2 or four.x2.sentence != four.x3.sentence
    starts = {(f.x1.speaker, f.x1.manner.emotion, f.x4.manner.emotion, f.x1.sentence) for f in drawn}
    assert len(starts) == 2 * 6 * len(sentences)


def test_intensities_are_not_mixed():
    said = [recording("anna", sentence, emotion, intensity)
            for sentence in "ab" for emotion, intensity in (("calm", 1), ("calm", 2), ("sad", 1))]  # fmt: skip
    random = np.random.default_rng(0)
    drawn = [Fours(said).draw(random) for _ in range(100)]
    assert all(four.x1.manner == four.x2.manner and four.x3.manner == four.x4.manner for four in drawn)
    assert {four.x1.manner for four in drawn} == {Manner("calm", 1), Manner("calm", 2), Manner("sad", 1)}


def test_x4_takes_the_timing_of_x1():
    four = Fours(recordings(("anna",))).draw(np.random.default_rng(0))
    assert four.aligned.windows.shape == four.x1.windows.shape
    assert four.aligned.manner == four.x4.manner and four.aligned.sentence == four.x1.sentence
    shift = (four.x4.rows[12:-12].mean(axis=0) - four.x1.rows[12:-12].mean(axis=0)).round(-1)
    middle = slice(3, -3)
    apart = np.abs(four.aligned.windows[middle] - four.x1.windows[middle] - shift).mean()
    assert apart < 0.5 * np.abs(four.x4.windows[middle] - four.x1.windows[middle] - shift).mean()


def test_batch_holds_matching_windows_and_is_repeatable():
    fours = Fours(recordings(("anna", "bert")))
    batch, again, other = (fours.batch(5, 3, 2, ContentEar(), 0, step) for step in (1, 1, 2))
    assert batch.x1.shape == batch.x4.shape == batch.heard1.shape == batch.heard4.shape == (5, 3, 28, 12)
    assert batch.x2.shape == batch.x3.shape == batch.heard2.shape == batch.heard3.shape == (5, 2, 28, 12)
    np.testing.assert_array_equal(batch.x4, again.x4)
    np.testing.assert_array_equal(batch.heard4, again.heard4)
    assert not np.array_equal(batch.x1, other.x1)
    assert batch.emotion1.shape == (5,) and (batch.emotion1 != batch.emotion2).all()
    assert batch.sentence2.shape == batch.sentence3.shape == (5,) and fours.sentences == ["dogs", "kids"]
    assert fours.classes == ["angry", "calm", "sad"]


def test_the_ear_hears_the_windows_that_are_reconstructed():
    batch = astuple(Fours(recordings(("anna", "bert"))).batch(5, 3, 2, ContentEar(False, 0, 0), 0, 1))
    for windows, heard in zip(batch[:4], batch[4:8], strict=True):
        np.testing.assert_allclose(windows, heard, atol=1e-3)


@pytest.mark.parametrize(
    ("sentences", "emotions"), [(("dogs",), ("calm", "sad")), (("dogs", "kids"), ("calm",))]
)
def test_too_little_to_pull_apart_is_refused(sentences, emotions):
    with pytest.raises(InputError, match="two emotions"):
        Fours(recordings(("anna",), sentences, emotions))


def test_spoken_part_is_what_is_loud():
    waveform = np.concatenate([np.full(6400, 1e-4), np.full(12800, 0.3), np.full(3210, 1e-4)])
    assert spoken_frames(waveform) == range(10, 30)
    assert spoken_frames(np.zeros(1000)) == range(2)


def test_a_frame_has_the_phone_in_its_middle():
    phones = (Phone("D", 0.05, 0.09), Phone("AO", 0.09, 0.2), Phone("SIL", 0.2, 0.24), Phone("G", 0.3, 0.33))
    said = ["", "D", "AO", "AO", "AO", "", "", "G"]
    assert said_when(phones, range(8)) == tuple(said)
    assert said_when(phones, range(3, 8)) == tuple(said[3:])
    assert said_when((), range(8)) == ()


def _corpus(folder: Path, *clips: ClipEntry) -> Path:
    for clip in clips:
        np.savez(
            folder / clip.file, waveform=np.random.default_rng(0).uniform(-1, 1, 6400).astype(np.float16)
        )
    Manifest(clips).write(folder)
    return folder


def _clip(file: str, speaker: str, **labels) -> ClipEntry:
    return ClipEntry(file, speaker, source=file, frames=10, filmed=False, **labels)


def test_only_the_labelled_clips_of_a_split_are_read(tmp_path):
    labels = {"emotion": "sad", "sentence": "dogs"}
    corpus = _corpus(
        tmp_path,
        _clip("a.npz", "anna", **labels, intensity=2),
        _clip("b.npz", "bert", **labels, split="test"),
        _clip("c.npz", "anna", emotion="sad"),
        _clip("d.npz", "anna", sentence="dogs"),
    )
    (read,) = read_recordings(corpus, "train")
    assert (read.speaker, read.sentence, read.manner) == ("anna", "dogs", Manner("sad", 2))
    assert read.windows.shape == (10, 28, 12) and len(read.rows) == len(mfcc(np.zeros(6400)))
    assert read.phones == ()
    assert [clip.speaker for clip in read_recordings(corpus, "train", "test")] == ["anna", "bert"]
    with pytest.raises(InputError, match="no clip of validation"):
        read_recordings(corpus, "validation")


def test_no_speaker_is_in_two_splits(tmp_path):
    labels = {"emotion": "sad", "sentence": "dogs"}
    corpus = _corpus(
        tmp_path, _clip("a.npz", "anna", **labels), _clip("b.npz", "anna", **labels, split="test")
    )
    with pytest.raises(InputError, match="anna is in two splits"):
        read_recordings(corpus, "train")
