import pytest

pytest.importorskip("torch")

import torch

from evp.emotion.network import (
    ClassifierConfig,
    ContentEncoder,
    Conv,
    Decoder,
    EmotionClassifier,
    EmotionEncoder,
    EncoderConfig,
    Pool,
)

WINDOWS = torch.randn(2, 28, 12)
CONVOLUTION = ("0.weight", "1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked")


def test_papers_sizes_between_picture_and_code() -> None:
    emotion, content = EmotionEncoder().eval(), ContentEncoder().eval()
    assert emotion.picture(WINDOWS).shape == (2, 3072)
    assert content.picture(WINDOWS).shape == (2, 12288)
    assert emotion(WINDOWS).shape == (2, 128) and content(WINDOWS).shape == (2, 256)


def test_codes_are_not_negative() -> None:
    assert EmotionEncoder().eval()(WINDOWS).min() >= 0


def test_papers_keys_can_be_mapped_by_name() -> None:
    def expected(convolutions: tuple[int, ...]) -> set[str]:
        layers = {f"layers.{n}.{part}" for n in convolutions for part in CONVOLUTION}
        return layers | {f"dense.{n}.{part}" for n in (0, 2) for part in ("weight", "bias")}

    assert set(EmotionEncoder().state_dict()) == expected((0, 2, 3, 5))
    assert set(ContentEncoder().state_dict()) == expected((0, 1, 3, 4, 5))
    decoder = {key.rsplit(".", 1)[0] for key in Decoder().state_dict()}
    assert decoder == {f"layers.{n}" for n in (0, 1, 3, 4, 6, 7, 9, 10, 12)}
    assert set(EmotionClassifier().state_dict()) == {"output.weight", "output.bias"}


@pytest.mark.parametrize(("columns_first", "time"), [(True, 1), (False, 2)])
def test_picture_has_time_to_the_right_or_downwards(columns_first: bool, time: int) -> None:
    width = WINDOWS.shape[time]
    config = EncoderConfig((Pool((1, width), (1, width)),), 4, columns_first=columns_first)
    torch.testing.assert_close(EmotionEncoder(config).picture(WINDOWS), WINDOWS.amax(dim=time))


def test_a_new_encoder_is_ready_to_train() -> None:
    assert all(module.training for module in EmotionEncoder().modules())


def test_decoder_gives_a_window_in_range() -> None:
    window = Decoder().eval()(torch.rand(2, 256) * 1000, torch.rand(2, 128) * 1000)
    assert window.shape == (2, 28, 12) and window.abs().max() <= 90


def test_classifier_of_a_mixture_is_the_mixture_of_scores() -> None:
    classify = EmotionClassifier(ClassifierConfig(classes=5))
    one, two = torch.rand(2, 128)
    mixed = classify(0.3 * one + 0.7 * two)
    torch.testing.assert_close(mixed, 0.3 * classify(one) + 0.7 * classify(two))


def test_other_windows_than_the_papers() -> None:
    config = EncoderConfig(
        (Conv(4, (5, 3)), Pool((2, 2), (2, 2)), Conv(8)), size=16, rows=60, columns=20, hidden=32
    )
    assert EmotionEncoder(config).eval()(torch.randn(3, 60, 20)).shape == (3, 16)
