"""Uploads: what they are called, where they lie, and that a key makes them once."""

from io import BytesIO
from pathlib import Path

import pytest
from fastapi import HTTPException, UploadFile

from evp.studio.folders import BUILTIN, Folders
from evp.studio.idempotency import once
from evp.studio.processes import TaskError
from evp.studio.settings import Limits
from evp.studio.store import Store
from evp.studio.uploads import kept, shown_name, understood
from tiny import numbered, write_media


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("speech.wav", "speech.wav"), ("Grüße ✓ 1.mp3", "Grüße ✓ 1.mp3"), ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\a b.mp4", "a b.mp4"), ("a\nb\x00c\x1b[31m.wav", "abc[31m.wav"), ("/", "the file"),
        ("..", ".."), ("", "the file"), (None, "the file"), ("x" * 500, "x" * 120), ("\u202egpj.exe", "gpj.exe"),
    ],
)  # fmt: skip
def test_names_are_only_shown(given: str | None, shown: str):
    assert shown_name(given) == shown


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    folders = Folders(tmp_path / "data")
    folders.make()
    return folders


def test_upload_lies_under_a_name_of_the_server_and_goes(folders: Folders):
    upload = UploadFile(BytesIO(b"content"), filename="../../../escape")
    with kept(upload, folders) as (path, digest):
        assert path.parent == folders.uploads
        assert path.read_bytes() == b"content"
        assert path.stat().st_mode & 0o077 == 0
        assert "escape" not in path.name
        assert len(digest) == 64
    assert not any(folders.uploads.iterdir())


def test_footage_is_understood_within_limits(tmp_path: Path):
    path = write_media(tmp_path / "a.mp4", numbered(30, 48, 64))
    limits = Limits()
    told = understood("check_footage", path, "me.mp4", limits, most_seconds=9, most_pixels=64 * 48)
    assert (told["width"], told["height"]) == (64, 48)
    with pytest.raises(TaskError, match=r"^me.mp4 is longer than 0.5 s$"):
        understood("check_footage", path, "me.mp4", limits, most_seconds=0.5, most_pixels=64 * 48)
    with pytest.raises(TaskError, match=r"^the picture of me.mp4 is larger than can be used: 64 x 48$"):
        understood("check_footage", path, "me.mp4", limits, most_seconds=9, most_pixels=64 * 48 - 1)
    path.write_bytes(b"not a film at all")
    with pytest.raises(TaskError, match=r"^me.mp4 is not a media file that can be read$"):
        understood("check_footage", path, "me.mp4", limits, most_seconds=9, most_pixels=64 * 48)


def test_a_key_does_its_work_once(tmp_path: Path):
    store = Store(tmp_path / "studio.sqlite3")
    for _ in range(2):  # without a key, every time
        with once(store, None, "jobs", {"a": 1}) as claim:
            assert claim.earlier is None
            claim.made = "j0"
    with once(store, "k", "jobs", {"a": 1, "b": 2}) as claim:
        assert claim.earlier is None
        with pytest.raises(HTTPException) as refused, once(store, "k", "jobs", {"b": 2, "a": 1}):
            pass
        assert refused.value.status_code == 409
        claim.made = "j1"
    with once(store, "k", "jobs", {"b": 2, "a": 1}) as claim:
        assert claim.earlier == "j1"
    for route, request in (("speech", {"a": 1, "b": 2}), ("jobs", {"a": 2, "b": 2})):
        with pytest.raises(HTTPException, match="another request"), once(store, "k", route, request):
            pass


def test_a_key_whose_work_failed_may_be_used_again(tmp_path: Path):
    store = Store(tmp_path / "studio.sqlite3")
    with pytest.raises(ValueError, match="full"), once(store, "k", "jobs", {}):
        raise ValueError("full")
    with once(store, "k", "jobs", {"other": True}) as claim:
        assert claim.earlier is None


def test_portraits_are_found_by_name_and_nothing_else(folders: Folders, tmp_path: Path):
    for name in ("me.evp", "a b.evp", "other.zip", "builtin.evp"):
        (folders.portraits / name).touch()
    (tmp_path / "secret.evp").touch()
    (folders.portraits / "link.evp").symlink_to(tmp_path / "secret.evp")
    assert set(folders.every_portrait()) - {BUILTIN} == {"me"}
    for wanted in ("../secret", "/etc/passwd", "link", "a b", "me.evp", ""):
        assert folders.portrait(wanted) is None
    assert folders.portrait("me") == folders.portraits / "me.evp"


def test_what_was_being_uploaded_when_the_server_was_stopped_goes(folders: Folders):
    (folders.uploads / "half").touch()
    (folders.portraits / "me.evp").touch()
    folders.make()
    assert not any(folders.uploads.iterdir())
    assert (folders.portraits / "me.evp").exists()
