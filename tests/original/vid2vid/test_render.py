"""The generator by an independent one of the names in its checkpoints, and the frames that an imported one makes."""

import copy
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from original.oracles import parallel, random_weights
from original.vid2vid.test_edges import face
from scipy.ndimage import map_coordinates
from torch import nn

from evp.errors import InputError, WeightsError
from evp.media import read_frames
from evp.original.parameters import write_landmark_files
from evp.original.vid2vid.convert import import_generator
from evp.original.vid2vid.edges import crop_box, edge_map
from evp.original.vid2vid.network import CompositeGenerator, GeneratorConfig, warped
from evp.original.vid2vid.render import Generator, read_pictures, render, render_file
from evp.weights import weights_file
from tiny import tone, write_media

TINY = GeneratorConfig(channels=4, blocks=3)


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        pad, conv, norm = nn.ReflectionPad2d, nn.Conv2d, nn.BatchNorm2d
        self.conv_block = nn.Sequential(
            pad(1), conv(c, c, 3), norm(c), nn.ReLU(), pad(1), conv(c, c, 3), norm(c)
        )

    def forward(self, x):
        return x + self.conv_block(x)


class Reference(nn.Module):
    """The layers of the issue, one after the other, at ngf 4 with 3 residual blocks."""

    def __init__(self):
        super().__init__()
        down = []
        for a, b in ((4, 8), (8, 16), (16, 32)):
            down += [nn.Conv2d(a, b, 3, 2, 1), nn.BatchNorm2d(b), nn.ReLU()]
        down += [Block(32), Block(32)]

        def head(channels):
            return [nn.ReflectionPad2d(3), nn.Conv2d(channels, 4, 7), nn.BatchNorm2d(4), nn.ReLU()]

        def up():
            layers = []
            for a, b in ((32, 16), (16, 8), (8, 4)):
                layers += [nn.ConvTranspose2d(a, b, 3, 2, 1, output_padding=1), nn.BatchNorm2d(b), nn.ReLU()]
            return nn.Sequential(*layers)

        def final(channels, *after):
            return nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(4, channels, 7), *after)

        self.model_down_seg = nn.Sequential(*head(45), *copy.deepcopy(down))
        self.model_down_img = nn.Sequential(*head(6), *copy.deepcopy(down))
        self.model_res_img = nn.Sequential(Block(32))
        self.model_up_img, self.model_final_img = up(), final(3, nn.Tanh())
        self.model_res_flow = nn.Sequential(Block(32))
        self.model_up_flow, self.model_final_flow, self.model_final_w = up(), final(2), final(1, nn.Sigmoid())

    @torch.no_grad()
    def forward(self, edges, previous):
        seen = self.model_down_seg(edges) + self.model_down_img(previous)
        image = self.model_final_img(self.model_up_img(self.model_res_img(seen)))
        moving = self.model_up_flow(self.model_res_flow(seen))
        w, flow = self.model_final_w(moving), 20 * self.model_final_flow(moving)
        y, x = np.mgrid[: edges.shape[2], : edges.shape[3]]
        places = [y + flow[0, 1].numpy(), x + flow[0, 0].numpy()]
        before = [map_coordinates(c.numpy(), places, order=1, mode="nearest") for c in previous[0, -3:]]
        return w * image + (1 - w) * torch.tensor(np.stack(before))[None]


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vid2vid")
    reference = random_weights(Reference())
    torch.save(
        parallel(reference.state_dict()), folder / "latest_net_G0.pth", _use_new_zipfile_serialization=False
    )
    match = import_generator(folder / "latest_net_G0.pth", folder / "g0", TINY, size=32)
    return SimpleNamespace(folder=folder, reference=reference, match=match, path=folder / "g0")


def test_every_tensor_matches(imported):
    assert imported.match.left == ()
    assert len(imported.match.matched) == len(imported.reference.state_dict())


def test_draws_what_the_reference_draws(imported):
    random = torch.Generator().manual_seed(0)
    edges, previous = (
        torch.rand(1, 45, 32, 32, generator=random),
        torch.rand(1, 6, 32, 32, generator=random) * 2 - 1,
    )
    (made,) = Generator.load(imported.path, 1).session.run(edges=edges.numpy(), previous=previous.numpy())
    np.testing.assert_allclose(made, imported.reference(edges, previous), atol=1e-4)


def test_the_flow_is_in_pixels():
    picture = torch.arange(30.0).reshape(1, 1, 5, 6)
    right = torch.zeros(1, 2, 5, 6)
    right[:, 0] = 1
    np.testing.assert_allclose(warped(picture, right)[0, 0, :, :5], picture[0, 0, :, 1:], atol=1e-4)


def test_the_full_size_has_the_originals_channels():
    with torch.device("meta"):
        state = CompositeGenerator(GeneratorConfig()).state_dict()
    assert state["model_down_seg.1.weight"].shape == (128, 45, 7, 7)
    assert state["model_down_img.1.weight"].shape == (128, 6, 7, 7)
    assert state["model_down_seg.17.conv_block.5.weight"].shape == (1024, 1024, 3, 3)
    assert state["model_res_flow.3.conv_block.2.running_var"].shape == (1024,)
    assert state["model_up_img.6.weight"].shape == (256, 128, 3, 3)
    assert state["model_final_w.1.weight"].shape == (1, 128, 7, 7)


def test_frames_are_the_targets_first_and_then_follow_from_each_other(imported):
    generator = Generator.load(imported.path, 1)
    random = np.random.default_rng(0)
    pictures = [random.integers(0, 256, (100, 120, 3)).astype(np.uint8) for _ in range(3)]
    landmarks = np.stack([face() + [0, shift] for shift in (0, 1, 2, 1, 0)])
    made = list(render(generator, iter(pictures), landmarks))
    box = crop_box(landmarks[0], (100, 120))
    crops = [box.cut(pictures[n]) for n in (0, 1, 2, 2, 1)]
    for frame in (0, 1):
        expected = cv2.resize(crops[frame], (32, 32), interpolation=cv2.INTER_AREA)
        np.testing.assert_array_equal(made[frame], expected)
    maps = [
        np.stack(
            [cv2.resize(c, (32, 32), interpolation=cv2.INTER_AREA) for c in edge_map(box.points(p), crop)]
        )
        for p, crop in zip(landmarks, crops, strict=True)
    ]
    for frame in (2, 3, 4):
        edges = torch.tensor(np.concatenate(maps[frame - 2 : frame + 1])[None] / 255).float()
        previous = torch.tensor(
            np.concatenate([m.transpose(2, 0, 1) for m in made[frame - 2 : frame]])[None] / 127.5 - 1
        )
        expected = (imported.reference(edges, previous.float())[0].numpy().transpose(1, 2, 0) + 1) * 127.5
        np.testing.assert_allclose(made[frame], expected, atol=0.6)


def test_a_film_of_as_many_frames_as_landmarks(imported, tmp_path):
    footage = write_media(
        tmp_path / "target.mp4", [np.full((100, 120, 3), level, np.uint8) for level in (40, 200, 90, 90)]
    )
    speech = write_media(tmp_path / "speech.wav", waveform=tone(0.24))
    write_landmark_files(tmp_path / "keypoints", np.stack([face()] * 6))
    done = []
    render_file(
        imported.path, footage, tmp_path / "keypoints", tmp_path / "out.mp4", speech=speech,
        progress=lambda *counts: done.append(counts),
    )  # fmt: skip
    frames = list(read_frames(tmp_path / "out.mp4"))
    assert len(frames) == 6
    np.testing.assert_allclose([frame.mean() for frame in frames[:2]], [40, 200], atol=4)
    assert done == [(n, 6) for n in range(1, 7)]


def test_a_folder_of_pictures_is_a_film(tmp_path):
    for number in range(11):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((20, 30, 3), 20 * number, np.uint8))
    assert [int(picture.mean()) for picture in read_pictures(tmp_path)] == [
        20 * number for number in range(11)
    ]


def test_no_pictures_and_other_weights_are_told(imported):
    with pytest.raises(InputError, match="no pictures"):
        list(render(Generator.load(imported.path, 1), iter([]), np.stack([face()])))
    with pytest.raises(WeightsError, match="import-vid2vid"):
        Generator.load(weights_file("evp.motion", "motion.onnx"))
