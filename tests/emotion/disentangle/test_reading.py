import torch

from evp.emotion.disentangle.reading import Reader, Readers, Whole

RANDOM = torch.Generator().manual_seed(0)


def _codes(labels: torch.Tensor, told: float) -> torch.Tensor:
    noise = torch.randn(len(labels), 6, generator=RANDOM)
    return noise + told * torch.nn.functional.one_hot(labels, 6)


def _share(told: float, batches: int = 30) -> float:
    """How much of the classes a reader knows at last, of codes that tell them so clearly."""
    reader = Reader(6, 3)
    for _ in range(batches):
        labels = torch.randint(3, (60,), generator=RANDOM)
        read, truth = reader(_codes(labels, told), labels)
    return float(1 - (read - truth).square().mean() / truth.square().mean())


def test_a_reader_reads_what_is_there_and_no_more():
    assert _share(5.0) > 0.8
    assert abs(_share(0.0)) < 0.1


def test_losses_fall_where_they_should():
    """Content that tells the sentence only, and emotion codes that do not tell it, cost less."""

    def told(emotion_in_content: float, sentence_in_content: float, sentence_in_emotion: float):
        readers = Readers(content=12, emotion=6, emotions=3, sentences=3)
        for _ in range(30):
            emotions, sentences = (torch.randint(3, (60,), generator=RANDOM) for _ in range(2))
            content = torch.cat(
                [_codes(emotions, emotion_in_content), _codes(sentences, sentence_in_content)], dim=1
            )
            windows = content[:, None] + torch.randn(60, 8, 12, generator=RANDOM)
            whole = Whole(windows, _codes(sentences, sentence_in_emotion), emotions, sentences)
            losses = readers(whole)
        return {name: float(loss) for name, loss in losses.items()}

    good, bad = told(0, 5, 0), told(5, 0, 5)
    assert good.keys() == bad.keys() and len(good) == 4
    assert all(good[name] < 0.5 * bad[name] for name in good)


def test_what_is_read_trains_the_codes_and_not_the_reader():
    reader, labels = Reader(6, 3), torch.tensor([0, 1, 2] * 10)
    codes = _codes(labels, 1.0).requires_grad_()
    read, _ = reader(codes, labels)
    read.square().sum().backward()
    assert codes.grad is not None and codes.grad.abs().max() > 0
    assert not list(reader.parameters())
