"""How the original's checkpoints [sic] name what this project's networks call differently.

Each table maps beginnings of names in a checkpoint to beginnings of names in the network.
"""

from collections.abc import Mapping

Names = Mapping[str, str]


def _within(theirs: str, ours: str, names: Names) -> dict[str, str]:
    """The same names of a part that both call differently."""
    return {theirs + old: ours + new for old, new in names.items()}


_CONTENT = {"audio_eocder.": "layers.", "audio_eocder_fc.": "dense."}
_EMOTION = {"emotion_eocder.": "layers.", "emotion_eocder_fc.": "dense."}

LANDMARKS: Names = {
    **_within("con_encoder.", "content.", _CONTENT),
    **_within("emo_encoder.", "emotion.", _EMOTION),
    "lm_encoder.lmark_encoder.": "identity.",
    "decoder.lstm.": "lstm.",
    "decoder.lstm_fc.0.": "coefficients.",
}
"""``M003_20.pth`` -> :class:`evp.original.network.LandmarkNetwork`."""

CLASSIFIER: Names = {**_within("", "encoder.", _EMOTION), "last_fc.": "classifier.output."}
"""``SER_99.pkl`` -> an :class:`EmotionEncoder` "encoder" and an :class:`EmotionClassifier` "classifier"."""

DISENTANGLER: Names = {
    **_within("con_encoder.", "content_encoder.", _CONTENT),
    **_within("emo_encoder.", "emotion_encoder.", _EMOTION),
    "decoder.decon.": "decoder.layers.",
    "classify.last_fc.": "classifier.output.",
}
"""``99_pretrain.pth`` -> :class:`evp.emotion.disentangle.network.Disentangler`."""

ENCODERS: Names = {
    **_within("con_encoder.", "content.", _CONTENT),
    **_within("emo_encoder.", "emotion.", _EMOTION),
    "content_encoder.": "content.",
    "emotion_encoder.": "emotion.",
}
"""``99_pretrain.pth``, or ``evp train disentangle``'s ``checkpoint.pt`` -> the encoders "content" and "emotion"."""
