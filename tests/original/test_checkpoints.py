import os
import pickle
import zipfile

import pytest
import torch
from torch import nn

from evp.errors import InputError
from evp.original import checkpoints
from evp.original.checkpoints import load_by_name, read_checkpoint


def state():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)).state_dict()


def refused(path) -> str:
    with pytest.raises(InputError) as error:
        read_checkpoint(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    return str(error.value)


class Evil:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("modern", [True, False])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_reads_both_of_torchs_formats(tmp_path, modern, prefix):
    torch.save(
        {prefix + name: tensor for name, tensor in state().items()}, tmp_path / "a.pth",
        _use_new_zipfile_serialization=modern,
    )  # fmt: skip
    read = read_checkpoint(tmp_path / "a.pth")
    assert list(read) == list(state())
    for name, tensor in state().items():
        torch.testing.assert_close(read[name], tensor, rtol=0, atol=0)


def test_reads_a_part(tmp_path):
    torch.save({"epoch": 3, "model": state()}, tmp_path / "a.pth")
    assert list(read_checkpoint(tmp_path / "a.pth")) == list(state())
    torch.save({"epoch": 3, **state()}, tmp_path / "a.pth")
    assert "epoch is not a tensor" in refused(tmp_path / "a.pth")


@pytest.mark.parametrize("modern", [True, False])
def test_code_is_refused_and_not_run(tmp_path, modern):
    marker = tmp_path / "ran"
    torch.save({**state(), "x": Evil(marker)}, tmp_path / "evil.pth", _use_new_zipfile_serialization=modern)
    assert f"{os.system.__module__}.system" in refused(tmp_path / "evil.pth")
    assert not marker.exists()


def test_a_plain_pickle_with_code_is_refused_and_not_run(tmp_path):
    marker = tmp_path / "ran"
    (tmp_path / "evil.pth").write_bytes(pickle.dumps(Evil(marker)))
    refused(tmp_path / "evil.pth")
    assert not marker.exists()


def test_a_giant_tensor_takes_no_memory(tmp_path):
    giant = torch.zeros(1).expand(1 << 40)
    torch.save({"x": giant}, tmp_path / "giant.pth")
    assert str(1 << 40) in refused(tmp_path / "giant.pth")
    torch.save({"x": giant}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert str(1 << 40) in refused(tmp_path / "old.pth")


@pytest.mark.parametrize("modern", [True, False])
def test_what_takes_memory_without_being_a_tensor_is_refused(tmp_path, modern):
    for held in (bytearray(10), b"bytes"):
        torch.save({"x": held}, tmp_path / "a.pth", _use_new_zipfile_serialization=modern)
        assert "it would run" in refused(tmp_path / "a.pth")


def test_views_larger_than_the_bound_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "LARGEST", 10_000)
    torch.save({"x": torch.zeros(1).expand(50, 60)}, tmp_path / "views.pth")
    assert "x would take" in refused(tmp_path / "views.pth")


def test_a_zip_bomb_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({}))
        archive.writestr("archive/data/0", bytes(20_000_000))
    assert "that would become 2" in refused(tmp_path / "bomb.pth")


def test_foreign_and_broken_files_are_refused(tmp_path):
    path = tmp_path / "a.pth"
    for content in (b"", b"hello, world", b"PK\x03\x04 not really"):
        path.write_bytes(content)
        assert "not a" in refused(path)
    torch.save(state(), path)
    path.write_bytes(path.read_bytes()[:-300])
    refused(path)
    torch.save(state(), path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes()[:-30])
    refused(path)
    torch.save([1, 2], path)
    assert "named tensors" in refused(path)
    torch.save({"x": torch.tensor([1.0, float("nan")])}, path)
    assert "x holds values" in refused(path)
    assert "No such file" in refused(tmp_path / "none.pth")


def test_load_by_name_tells_what_matched_and_what_was_left(tmp_path):
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    tensors = {f"old.{name}": tensor + 1 for name, tensor in state().items()} | {"other": torch.zeros(2)}
    match = load_by_name(network, tensors, {"old.": ""}, tmp_path / "a.pth")
    assert match.left == ("other",)
    assert set(match.matched) == set(tensors) - {"other"}
    torch.testing.assert_close(network[0].weight.detach(), tensors["old.0.weight"])
    assert "7 tensors matched, left: other" in str(match)


def test_load_by_name_names_the_key(tmp_path):
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    tensors = {f"old.{name}": tensor for name, tensor in state().items()}
    with pytest.raises(InputError, match=r"a\.pth: old\.0\.weight is missing"):
        load_by_name(
            network,
            {k: v for k, v in tensors.items() if k != "old.0.weight"},
            {"old.": ""},
            tmp_path / "a.pth",
        )
    tensors["old.0.weight"] = torch.zeros(4, 5)
    with pytest.raises(InputError, match=r"a\.pth: old\.0\.weight has the shape \(4, 5\), expected \(4, 3\)"):
        load_by_name(network, tensors, {"old.": ""}, tmp_path / "a.pth")


def test_load_by_name_does_without_the_count_of_batches(tmp_path):
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    tensors = {name: tensor for name, tensor in state().items() if "num_batches" not in name}
    assert len(load_by_name(network, tensors, {"": ""}, tmp_path / "a.pth").matched) == 6
