import sys
from dataclasses import replace

import numpy as np
import pytest

from evp.errors import MissingExtraError
from evp.face.basis import FaceBasis
from evp.render import engine
from evp.render.engine import EXACT, RendererWeights, Way, quantised
from evp.render.inputs import prepare
from evp.render.renderer import Renderer
from evp.render.warp import WarpMesh
from tiny import crops


@pytest.fixture(scope="module")
def weights() -> RendererWeights:
    return RendererWeights.packaged()


def made(weights: RendererWeights, way: Way) -> np.ndarray:
    own = crops(8)
    frame, source = own.view(2), own.view(7)
    renderer = Renderer(weights.open("renderer", way), FaceBasis.load())
    return renderer.render(frame.landmarks, frame, [source], [source]).astype(float)


@pytest.mark.parametrize(
    "way", [Way("onnxruntime", "int8"), Way("openvino", "fp32"), Way("openvino", "int8")]
)
def test_every_way_gives_the_same_pixels(weights: RendererWeights, way: Way):
    if way.engine == "openvino":
        pytest.importorskip("openvino")
    error = np.mean((made(weights, way) - made(weights, EXACT)) ** 2)
    assert error < 255**2 / 10**4.5
    assert (error > 1e-4) == (way.numbers == "int8"), "other engines round single values otherwise"


def test_small_numbers_of_another_network_do_not_count(weights: RendererWeights):
    assert any(way.numbers == "int8" for way in weights.ways())
    for other in (replace(weights, exact=weights.exact + b" "), replace(weights, int8=None)):
        assert {way.numbers for way in other.ways()} == {"fp32"}


def test_card_and_engines_decide_what_is_first(weights: RendererWeights, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engine, "find_spec", lambda _: None)
    assert weights.ways() == [Way("onnxruntime", "int8"), EXACT]
    monkeypatch.setattr(engine, "find_spec", lambda name: name)
    assert weights.ways() == [
        Way("onnxruntime", "int8"), EXACT, Way("openvino", "int8"), Way("openvino", "fp32")
    ]  # fmt: skip
    monkeypatch.setattr(engine, "runs_on_cuda", lambda: True)
    assert weights.ways() == [EXACT]


def test_engine_that_is_missing_is_named(weights: RendererWeights, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingExtraError, match=r"evp\[openvino\]"):
        weights.open("renderer", Way("openvino", "fp32"))


def test_quantised_network_knows_where_it_comes_from(
    weights: RendererWeights, caplog: pytest.LogCaptureFixture
):
    pytest.importorskip("onnx")
    own = crops(8)
    frame, source = own.view(2), own.view(7)
    seen = prepare(WarpMesh.build(FaceBasis.load()), frame.landmarks, frame, [source], [source]).tensor
    small = RendererWeights(weights.exact, quantised(weights.exact, [seen]))
    assert len(small.int8) < len(small.exact) / 3
    assert not caplog.records, "what the quantiser advises is no matter of the user's"
    assert small.ways() == weights.ways()
    error = np.mean((made(small, Way("onnxruntime", "int8")) - made(small, EXACT)) ** 2)
    assert 0 < error < 255**2 / 10**4.5
