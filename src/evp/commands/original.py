"""The verbs for files of the original system: import them, and run what was imported."""

import functools
from pathlib import Path
from typing import Annotated

import typer

from evp.commands.console import check_folder, check_written, needs_extra, progress_bars
from evp.commands.options import Folder, Output

Face = Annotated[Path, typer.Option(help="The original's 3-D face model: base_weight.pickle.")]
Indices = Annotated[Path, typer.Option(help="The vertices of its landmarks: ldmk_idx.txt.")]


def import_evp(
    checkpoint: Annotated[
        Path, typer.Argument(help="A landmark network of the original, such as M003_20.pth.")
    ],
    output: Output,
    basis: Annotated[Path, typer.Option(help="The PCA basis of the same person: M003_U_106.npy.")],
    mean: Annotated[Path, typer.Option(help="The mean face of the same person: M003_mean_106.npy.")],
    features: Annotated[
        Path | None, typer.Option(help="A folder of emotion features (angry.npy), to be kept in the model.")
    ] = None,
) -> None:
    """Make a motion model of a landmark network of the original EVP."""
    check_written(output, checkpoint, basis, mean)
    with needs_extra("train"):
        from evp.original.convert import import_landmarks

        match = import_landmarks(checkpoint, basis, mean, output, features)
    typer.echo(match)


def match_evp(
    checkpoint: Annotated[
        Path, typer.Argument(help="A landmark network, SER_99.pkl or 99_pretrain.pth of the original.")
    ],
) -> None:
    """Tell how much of a checkpoint of the original fits the network of this project, by name."""
    with needs_extra("train"):
        from evp.original.networks import match_checkpoint

        typer.echo(match_checkpoint(checkpoint))


def landmarks(
    speech: Annotated[Path, typer.Argument(help="What is said: any sound file.")],
    motion: Annotated[Path, typer.Option(help="A motion model from 'evp import-evp'.")],
    output: Output,
    emotion_feature: Annotated[
        str | None,
        typer.Option(
            help="An emotion code: a file (angry.npy), or the name of an imported one. [default: neutral]"
        ),
    ] = None,
    emotion_audio: Annotated[
        Path | None, typer.Option(help="Take the emotion from this recording, frame by frame, instead.")
    ] = None,
) -> None:
    """Write the original's landmarks of a recording: an array (frames, 106, 2), fractions of the crop."""
    if emotion_feature is not None and emotion_audio is not None:
        raise typer.BadParameter("give --emotion-feature or --emotion-audio, not both")
    check_written(output, speech, motion, emotion_audio)
    from evp.original.landmarks import predict_file

    with progress_bars() as report:
        frames = predict_file(
            speech, motion, output, feature=emotion_feature, emotion_audio=emotion_audio,
            progress=functools.partial(report, "listening"),
        )  # fmt: skip
    typer.echo(f"{output}: {frames} frames")


def fit_face(
    landmarks: Annotated[Path, typer.Argument(help="What 'evp landmarks' wrote.")],
    face: Face,
    indices: Indices,
    output: Output,
) -> None:
    """Fit the original's 3-D face to landmarks, and write its parameter lines: 199 shape, 29 expression, 6 pose."""
    check_written(output, landmarks, face, indices)
    from evp.original.alignment import fit_file

    typer.echo(f"{output}: {fit_file(landmarks, face, indices, output)} frames")


def align_face(
    parameters: Annotated[Path, typer.Argument(help="What 'evp fit-face' wrote: parameter lines.")],
    face: Face,
    indices: Indices,
    target: Annotated[
        Path,
        typer.Option(
            help="The target's landmarks: lines of 106 times x y and a name, or a folder of x,y texts."
        ),
    ],
    poses: Annotated[Path, typer.Option(help="The target's poses: an array (frames, 6).")],
    output: Folder,
) -> None:
    """Put fitted faces under a target's head motion, and write x,y texts for 'evp vid2vid'."""
    check_folder(output)
    from evp.original.alignment import align_file

    typer.echo(f"{output}: {align_file(parameters, face, indices, target, poses, output)} frames")


def edges(
    picture: Annotated[Path, typer.Argument(help="A picture, or a film.")],
    output: Output,
    frame: Annotated[int, typer.Option(min=0, help="Which frame of a film.")] = 0,
    landmarks: Annotated[
        Path | None, typer.Option(help="106 lines x,y in pixels. Without them the face is looked for.")
    ] = None,
) -> None:
    """Write the edge map of a frame, as vid2vid's generator sees it: an array (15, height, width), 0-255."""
    check_written(output, picture, landmarks)
    from evp.original.vid2vid.edges import edge_file

    edge_file(picture, output, frame=frame, landmarks=landmarks)
    typer.echo(output)


def import_vid2vid(
    checkpoint: Annotated[
        Path, typer.Argument(help="A composite generator of vid2vid, such as latest_net_G0.pth.")
    ],
    output: Output,
) -> None:
    """Make weights for 'evp vid2vid' of a generator of vid2vid. Needs 10 GB of memory."""
    check_written(output, checkpoint)
    with needs_extra("train"):
        from evp.original.vid2vid.convert import import_generator

        match = import_generator(checkpoint, output)
    typer.echo(match)


def vid2vid(
    landmarks: Annotated[
        Path, typer.Argument(help="A folder of texts, one a frame: 106 lines x,y in pixels of the footage.")
    ],
    footage: Annotated[
        Path, typer.Option(help="A film of the target person, or a folder of 0.jpg, 1.jpg, ...")
    ],
    generator: Annotated[Path, typer.Option(help="Weights from 'evp import-vid2vid'.")],
    output: Output,
    speech: Annotated[Path | None, typer.Option(help="The sound of the film.")] = None,
) -> None:
    """Render landmarks with vid2vid's generator. Slow: half a minute a frame on two CPU cores; see 'evp animate'."""
    check_written(output, footage, generator, speech)
    from evp.original.vid2vid.render import render_file

    typer.echo(
        "vid2vid's generator takes half a minute a frame on a CPU; 'evp animate' is many times faster",
        err=True,
    )
    with progress_bars() as report:
        render_file(
            generator,
            footage,
            landmarks,
            output,
            speech=speech,
            progress=functools.partial(report, "rendering"),
        )
    typer.echo(output)
