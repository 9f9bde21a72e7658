"""evp train: the networks, on your own recordings."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from evp.commands.console import check_folder, check_written, needs_extra, training_bar
from evp.commands.options import Corpus, Folder, Output, Recipe, Seed, Steps

_STRANGE = {
    "strangers": "people whom the judging network never heard",
    "validation": "the validation's people",
    "test": "the test's people",
}


def basis(corpus: Corpus, output: Output) -> None:
    """Learn the face basis: the mean face and the directions in which faces move."""
    check_written(output)
    from evp.corpora.basis import train_basis

    train_basis(corpus, output)


def disentangle(
    corpus: Corpus,
    output: Folder,
    recipe: Recipe = "default",
    steps: Steps = None,
    seed: Seed = 0,
) -> None:
    """Pull what is said and how it is felt apart, on the same sentences in different emotions."""
    check_folder(output)
    with needs_extra("train"):
        import dtaidistance  # noqa: F401  # aligns the sentences

        from evp.emotion.disentangle.train import PAPER_RUN, DisentangleConfig, train_disentangler
    chosen = PAPER_RUN if recipe == "paper" else DisentangleConfig()
    config = replace(chosen, seed=seed, steps=steps or chosen.steps)
    with training_bar(config.steps) as report:
        train_disentangler(corpus, output, config, progress=report)


def emotion(
    corpus: Corpus, output: Folder, recipe: Recipe = "default", steps: Steps = None, seed: Seed = 0
) -> None:
    """Train sound to emotion, and measure it on speakers left out."""
    check_folder(output)
    with needs_extra("train"):
        from evp.emotion.hearing import EmotionModel
        from evp.emotion.train import PAPER_RUN, EmotionConfig, train_emotion
    chosen = PAPER_RUN if recipe == "paper" else EmotionConfig()
    config = replace(chosen, seed=seed, steps=steps or chosen.steps)
    with training_bar(config.steps) as report:
        path = train_emotion(corpus, output, config, progress=report)
    metadata = EmotionModel.load(path).session.metadata
    typer.echo(f"{path}: tells {', '.join(metadata['labels'])}")
    for split, people in _STRANGE.items():
        if split in metadata:
            recordings = sum(map(sum, metadata[split]["confusion"]))
            recall = metadata[split]["recall"]
            typer.echo(f"unweighted average recall {recall:.3f} over {recordings} recordings of {people}")


def motion(
    corpus: Corpus,
    output: Folder,
    recipe: Recipe = "default",
    speaker: Annotated[
        str | None, typer.Option(help="Whom to train on, if there are several (--recipe paper).")
    ] = None,
    disentangled: Annotated[
        Path | None,
        typer.Option(
            help="Begin with these encoders: a 99_pretrain.pth of the original, or the checkpoint.pt of "
            "'train disentangle --recipe paper' (--recipe paper)."
        ),
    ] = None,
    steps: Steps = None,
    seed: Seed = 0,
) -> None:
    """Train sound to facial motion; by the paper's recipe, to the landmarks of one person."""
    if recipe == "default" and (speaker or disentangled):
        raise typer.BadParameter("--speaker and --disentangled belong to --recipe paper")
    check_folder(output)
    with needs_extra("train"):
        from evp.motion.train import MotionConfig, train_motion
        from evp.original.train import LandmarkTrainingConfig, train_landmarks
    if recipe == "paper":
        paper = LandmarkTrainingConfig(seed=seed, steps=steps or LandmarkTrainingConfig.steps)
        with training_bar(paper.steps) as report:
            train_landmarks(corpus, output, paper, speaker, disentangled, progress=report)
    else:
        config = MotionConfig(seed=seed, steps=steps or MotionConfig.steps)
        with training_bar(config.steps) as report:
            train_motion(corpus, output, config, progress=report)


def faces(corpus: Corpus, output: Output) -> None:
    """Learn what each emotion does to brows, lids, cheeks, mouth and jaw."""
    check_written(output)
    from evp.motion.expression import ExpressionModel
    from evp.motion.faces import learn_faces

    learn_faces(corpus, ExpressionModel.load()).save(output)


def wrinkles(corpus: Corpus, output: Output) -> None:
    """Learn the folds and shadows that each emotion draws into skin."""
    check_written(output)
    from evp.render.wrinkles import learn_wrinkles

    learn_wrinkles(corpus).save(output)


def renderer(corpus: Corpus, output: Output, steps: Steps = None, seed: Seed = 0) -> None:
    """Train landmarks to pictures."""
    check_written(output)
    with needs_extra("train"):
        from evp.render.train import RenderConfig, train_renderer
    config = RenderConfig(seed=seed, steps=steps or RenderConfig.steps)
    with training_bar(config.steps) as report:
        train_renderer(corpus, output, config, progress=report)
