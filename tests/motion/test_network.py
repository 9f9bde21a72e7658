import pytest
import torch

from evp.audio.mel import BANDS
from evp.motion.network import EAR, EMOTION_SIZE, HEARD, LipClosure, MotionNetwork, SpeakerStyle
from evp.motion.visemes import NAMES

OPENING = torch.tensor([0.04, 0.01, 0.0])
METRIC = torch.diag(torch.tensor([0.5, 0.1, 0.4]))


@pytest.fixture
def network() -> MotionNetwork:
    torch.manual_seed(0)
    return MotionNetwork(OPENING, METRIC, channels=8, dropout=0.0, auxiliary=2).eval()


def test_four_rows_make_a_frame(network: MotionNetwork) -> None:
    output = network(torch.randn(2, 40, BANDS), torch.zeros(2, 20, EAR), torch.zeros(2, EMOTION_SIZE))
    assert output.coefficients.shape == (2, 10, 3) and output.speech.shape == (2, 10)
    assert output.visemes.shape == (2, 20, len(NAMES)) and output.auxiliary.shape == (2, 10, 2)
    assert output.heard.shape == (2, 10, HEARD)


def test_frame_is_in_the_middle_of_what_it_hears(network: MotionNetwork) -> None:
    sound, ear = torch.randn(1, 400, BANDS), torch.randn(1, 200, EAR)
    sound.requires_grad, ear.requires_grad = True, True
    network(sound, ear, torch.zeros(1, EMOTION_SIZE)).coefficients[0, 50].sum().backward()
    for array, rows_per_frame in ((sound, 4), (ear, 2)):
        heard = array.grad.abs().sum(dim=(0, 2)).nonzero()
        assert heard.min() + heard.max() == 2 * (rows_per_frame * 50) + rows_per_frame - 1


def test_emotion_has_its_place_and_zeros_are_neutral(network: MotionNetwork) -> None:
    sound, ear = torch.randn(1, 40, BANDS), torch.randn(1, 20, EAR)
    before = network(sound, ear, torch.zeros(1, EMOTION_SIZE)).coefficients
    torch.nn.init.normal_(network.emotion.weight, std=0.1)
    torch.testing.assert_close(network(sound, ear, torch.zeros(1, EMOTION_SIZE)).coefficients, before)
    assert not torch.allclose(network(sound, ear, torch.ones(1, EMOTION_SIZE)).coefficients, before)


def test_closure_shuts_open_lips_and_leaves_shut_ones() -> None:
    closure = LipClosure(OPENING, METRIC)
    coefficients = torch.tensor([[[1.0, 2.0, 3.0], [-1.0, 0.5, 1.0]]])
    torch.testing.assert_close(closure(coefficients, torch.zeros(1, 2)), coefficients)
    shut = closure(coefficients, torch.ones(1, 2))
    torch.testing.assert_close(shut[0] @ OPENING, torch.tensor([0.0, -0.035]))
    torch.testing.assert_close(shut[0, 1], coefficients[0, 1])
    assert shut[0, 0, 2] == 3


def test_style_starts_as_nobodys() -> None:
    style = SpeakerStyle(2, 3)
    coefficients = torch.randn(2, 5, 3)
    torch.testing.assert_close(style(coefficients, torch.tensor([0, 1])), coefficients)
    assert style.penalty() == 0
