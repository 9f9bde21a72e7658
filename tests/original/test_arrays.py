import zipfile

import numpy as np
import pytest

from evp.errors import InputError, OutputError
from evp.original import arrays
from evp.original.arrays import read_archive, read_array, write_array


def refused(path, shape=(4,)) -> str:
    with pytest.raises(InputError) as error:
        read_array(path, shape)
    assert str(path) in str(error.value)
    return str(error.value)


def test_there_and_back(tmp_path):
    array = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    write_array(tmp_path / "a.npy", array)
    np.testing.assert_array_equal(read_array(tmp_path / "a.npy", (None, 4)), array)
    assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]


def test_writing_where_there_is_no_folder_is_told(tmp_path):
    with pytest.raises(OutputError):
        write_array(tmp_path / "none" / "a.npy", np.zeros(3))


def giant() -> bytes:
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }"
    header += b" " * (118 - len(header) - 1) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"0000"


def test_a_giant_declared_shape_takes_no_memory(tmp_path):
    (tmp_path / "giant.npy").write_bytes(giant())
    assert "cut off" in refused(tmp_path / "giant.npy", (None,))


@pytest.mark.parametrize(
    ("array", "why"),
    [
        (np.array([object()] * 4), "not an array of numbers"),
        (np.array(["a", "b", "c", "d"]), "text"),
        (np.zeros((4, 1)), "shape (4, 1), expected (4)"),
        (np.array([1, 2, np.inf, 4]), "finite"),
    ],
)
def test_what_is_not_numbers_of_the_shape_is_refused(tmp_path, array, why):
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    assert why in refused(tmp_path / "a.npy")


def test_other_files_are_refused(tmp_path):
    (tmp_path / "text.npy").write_text("0.1 0.2")
    np.savez(tmp_path / "archive.npz", a=np.zeros(4))
    assert "not an array" in refused(tmp_path / "text.npy")
    assert "archive" in refused(tmp_path / "archive.npz")
    assert "No such file" in refused(tmp_path / "none.npy")
    assert "not a file" in refused(tmp_path)


def test_archives(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, a=np.arange(6.0).reshape(2, 3), b=np.zeros(3), text=np.array(["x"]))
    np.testing.assert_array_equal(read_archive(path, {"a": (2, None)})["a"], [[0, 1, 2], [3, 4, 5]])
    for key, why in [("c", "c is missing"), ("b", r"b has the shape \(3,\)"), ("text", "text has the shape")]:
        with pytest.raises(InputError, match=rf"a\.npz: {why}"):
            read_archive(path, {key: (2, None)})
    monkeypatch.setattr(arrays, "LARGEST", 150)
    with pytest.raises(InputError, match=r"a would take 176 bytes"):
        read_archive(path, {"a": (2, 3)})
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match="not an archive"):
        read_archive(path, {"a": (2, 3)})


def test_a_giant_shape_in_an_archive_takes_no_memory(tmp_path):
    with zipfile.ZipFile(tmp_path / "giant.npz", "w") as archive:
        archive.writestr("a.npy", giant())
    with pytest.raises(InputError, match="a declares 4000000000000 bytes"):
        read_archive(tmp_path / "giant.npz", {"a": (None,)})
