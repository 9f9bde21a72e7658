"""The verbs reach their functions, and whatever is wrong with a file is one line that names it."""

import os
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from original.oracles import EmotionEncoder, random_weights, write_pca
from original.vid2vid.test_edges import face
from typer.testing import CliRunner

from evp import cli
from evp.original.parameters import write_landmark_files
from evp.original.train import LandmarkTrainingConfig
from tiny import numbered, write_media


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a command line in-process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


@pytest.fixture
def calls(monkeypatch):
    """Puts recorders in the place of the functions behind the verbs."""
    recorded = []

    def replace(name):
        def record(*arguments, **options):
            options.pop("progress", lambda *_: None)(1, 2)
            recorded.append((name.rpartition(".")[2], *map(str, arguments), options))
            return SimpleNamespace(__str__=lambda: "done")

        monkeypatch.setattr(name, record)

    for name in (
        "convert.import_landmarks", "landmarks.predict_file", "vid2vid.convert.import_generator",
        "vid2vid.render.render_file", "alignment.fit_file", "alignment.align_file", "train.train_landmarks",
    ):  # fmt: skip
        replace(f"evp.original.{name}")
    return recorded


class Evil:
    def __reduce__(self):
        return os.system, ("touch ran",)


def test_import_evp(run, calls):
    result = run(
        "import-evp", "M003_20.pth", "--basis", "U.npy", "--mean", "mean.npy", "--features", "f", "-o", "m003"
    )
    assert result.exit_code == 0, result.output
    assert calls == [("import_landmarks", "M003_20.pth", "U.npy", "mean.npy", "m003", "f", {})]


def test_import_evp_of_a_malicious_file_is_one_line(run, tmp_path):
    basis, mean = write_pca(tmp_path)
    torch.save({"x": Evil()}, tmp_path / "M003_20.pth")
    result = run("import-evp", "M003_20.pth", "--basis", basis, "--mean", mean, "-o", "m003")
    assert result.exit_code == 1
    assert result.stderr == f"evp: M003_20.pth: refused: it would run {os.system.__module__}.system\n"
    assert not (tmp_path / "m003").exists()
    assert not (tmp_path / "ran").exists()


def test_landmarks(run, calls):
    run("landmarks", "speech.wav", "--motion", "m003", "--emotion-feature", "angry.npy", "-o", "M003.npy")
    run("landmarks", "speech.wav", "--motion", "m003", "--emotion-audio", "sad.wav", "-o", "M003.npy")
    options = [call[-1] for call in calls]
    assert [call[:-1] for call in calls] == [("predict_file", "speech.wav", "m003", "M003.npy")] * 2
    assert [option["feature"] for option in options] == ["angry.npy", None]
    assert [str(option["emotion_audio"]) for option in options] == ["None", "sad.wav"]


def test_landmarks_wants_one_emotion(run, calls):
    result = run(
        "landmarks",
        "s.wav",
        "--motion",
        "m",
        "--emotion-feature",
        "a",
        "--emotion-audio",
        "b",
        "-o",
        "out.npy",
    )
    assert result.exit_code == 2
    assert "not both" in result.stderr
    assert not calls


def test_landmarks_does_not_write_over_its_input(run, calls):
    assert run("landmarks", "speech.wav", "--motion", "m003", "-o", "m003").exit_code == 1
    assert not calls


def test_fit_face_and_align_face(run, calls):
    assert (
        run("fit-face", "M003.npy", "--face", "b.pickle", "--indices", "i.txt", "-o", "M003.txt").exit_code
        == 0
    )
    run("align-face", "M003.txt", "--face", "b.pickle", "--indices", "i.txt", "--target", "t.txt", "--poses", "p.npy",
        "-o", "keypoints")  # fmt: skip
    assert calls == [
        ("fit_file", "M003.npy", "b.pickle", "i.txt", "M003.txt", {}),
        ("align_file", "M003.txt", "b.pickle", "i.txt", "t.txt", "p.npy", "keypoints", {}),
    ]


def test_train_motion_by_the_papers_recipe(run, calls):
    paper = ("--recipe", "paper", "--speaker", "M003", "--disentangled", "d.pth", "--steps", 7)
    result = run("train", "motion", "corpus", "-o", "out", *paper)
    assert result.exit_code == 0, result.output
    [(name, corpus, output, config, *rest)] = calls
    assert (name, corpus, output, rest) == ("train_landmarks", "corpus", "out", ["M003", "d.pth", {}])
    assert config == str(LandmarkTrainingConfig(steps=7))


def test_a_speaker_belongs_to_the_papers_recipe(run, calls):
    result = run("train", "motion", "corpus", "-o", "out", "--speaker", "M003")
    assert result.exit_code == 2 and "--recipe paper" in result.stderr
    assert not calls


def test_match_evp(run, tmp_path):
    torch.save(random_weights(EmotionEncoder(small=False)).state_dict(), tmp_path / "SER_99.pkl")
    result = run("match-evp", "SER_99.pkl")
    assert result.stdout == "SER_99.pkl: 30 tensors matched, nothing left\n"
    result = run("match-evp", "none.pkl")
    assert (result.exit_code, result.stderr) == (1, "evp: cannot read none.pkl: No such file or directory\n")


def test_edges(run, tmp_path):
    write_media(tmp_path / "film.mp4", numbered(3, 100, 100))
    write_landmark_files(tmp_path / "keypoints", face()[None])
    result = run("edges", "film.mp4", "--frame", 1, "--landmarks", "keypoints/000000.txt", "-o", "map.npy")
    assert result.stdout == "map.npy\n"
    assert np.load(tmp_path / "map.npy").shape == (15, 100, 100)


def test_vid2vid(run, calls):
    assert run("import-vid2vid", "latest_net_G0.pth", "-o", "g0").exit_code == 0
    result = run("vid2vid", "keypoints", "--footage", "a.mp4", "--generator", "g0", "-o", "out.mp4")
    assert "half a minute a frame" in result.stderr
    assert calls == [
        ("import_generator", "latest_net_G0.pth", "g0", {}),
        ("render_file", "g0", "a.mp4", "keypoints", "out.mp4", {"speech": None}),
    ]
