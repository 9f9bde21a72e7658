import os
import pickle
import tracemalloc

import numpy as np
import pytest

from evp.errors import InputError
from evp.original.pickles import read_pickled_arrays

SHAPES = {"base": (3, None), "weight": (3, None, 4)}


def arrays():
    random = np.random.default_rng(0)
    return {"base": random.normal(size=(3, 5)), "weight": random.normal(size=(3, 5, 4)).astype(np.float32)}


class Evil:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


def refused(path, content) -> str:
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_pickled_arrays(path, SHAPES)
    message = str(error.value)
    assert str(path) in message
    assert "\n" not in message
    return message


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("order", ["C", "F"])
def test_reads_what_was_written(tmp_path, protocol, order):
    written = {name: np.asarray(array, order=order) for name, array in arrays().items()}
    (tmp_path / "base_weight.pickle").write_bytes(pickle.dumps(written, protocol))
    read = read_pickled_arrays(tmp_path / "base_weight.pickle", SHAPES)
    for name, array in written.items():
        np.testing.assert_array_equal(read[name], array)
        assert read[name].dtype == array.dtype


def test_reads_big_endian_integers(tmp_path):
    (tmp_path / "a.pickle").write_bytes(pickle.dumps({"base": np.arange(6, dtype=">i4").reshape(3, 2)}, 2))
    np.testing.assert_array_equal(
        read_pickled_arrays(tmp_path / "a.pickle", {"base": (3, 2)})["base"], np.arange(6).reshape(3, 2)
    )


def test_code_is_refused_and_not_run(tmp_path):
    marker = tmp_path / "ran"
    message = refused(tmp_path / "evil.pickle", pickle.dumps({**arrays(), "more": Evil(marker)}))
    assert f"{os.system.__module__}.system" in message
    assert not marker.exists()


@pytest.mark.parametrize(
    "name", ["builtins eval", "numpy load", "numpy.core.multiarray fromfile", "os system"]
)
def test_any_other_function_is_refused(tmp_path, name):
    message = refused(tmp_path / "evil.pickle", b"c" + name.replace(" ", "\n").encode() + b"\n.")
    assert name.replace(" ", ".") in message


def test_a_giant_shape_takes_no_memory(tmp_path):
    asked = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(L1000000000000L\ntU\x01btR."
    assert "1000000000000" in refused(tmp_path / "giant.pickle", asked)


def test_a_giant_memo_and_a_giant_string_take_no_memory(tmp_path):
    assert "size" in refused(tmp_path / "memo.pickle", b"\x80\x04}r\xff\xff\xff\xff.")
    assert "cut off" in refused(
        tmp_path / "string.pickle", b"\x80\x04\x8e" + (1 << 40).to_bytes(8, "little") + b"x."
    )


def test_a_text_that_is_encoded_again_and_again_takes_no_memory(tmp_path):
    again = b"h\x00h\x01X\x06\x00\x00\x00latin1\x86R"
    content = (
        b"\x80\x02](c_codecs\nencode\nq\x00X\xe8\x03\x00\x00" + b"x" * 1000 + b"q\x01" + again * 5000 + b"e."
    )
    tracemalloc.start()
    assert "dictionary" in refused(tmp_path / "bomb.pickle", content)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_objects_and_text_are_refused(tmp_path):
    objects = {**arrays(), "base": np.array([[object], [1], [2]], dtype=object)}
    for array in (np.array([["a"], ["b"], ["c"]]), np.zeros((3, 1), [("a", "f4")])):
        assert "numbers" in refused(tmp_path / "text.pickle", pickle.dumps({**arrays(), "base": array}))
    assert "refused" in refused(tmp_path / "objects.pickle", pickle.dumps(objects))


def test_the_message_names_the_key(tmp_path):
    path = tmp_path / "base_weight.pickle"
    assert "weight is missing" in refused(path, pickle.dumps({"base": arrays()["base"]}))
    assert "base has the shape (2, 5)" in refused(path, pickle.dumps({**arrays(), "base": np.zeros((2, 5))}))
    assert "base holds values" in refused(path, pickle.dumps({**arrays(), "base": np.full((3, 5), np.nan)}))
    assert "base is not an array" in refused(path, pickle.dumps({**arrays(), "base": "text"}))
    assert "dictionary" in refused(path, pickle.dumps([1, 2]))
    assert "cut off" in refused(path, pickle.dumps(arrays())[:-20])
    assert "not a pickle" in refused(path, b"hello, world")
