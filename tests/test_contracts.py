"""What every plug-in must keep to, whatever its name."""

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

import matcher.detectors
import matcher.embedders  # noqa: F401 — importing registers
from matcher.assembly import make_embedder, make_picture_embedder
from matcher.config import DetectorConfig, EmbedderConfig
from matcher.errors import ModelFileError
from matcher.known_models import FETCHED
from matcher.plugin_config import ArcFaceConfig, RuntimeConfig
from matcher.protocols import Detector, Embedder
from matcher.registry import DETECTORS, EMBEDDERS

_YUNET = Path(__file__).parents[2] / "shared/models/face_detection_yunet_2023mar.onnx"


def _detector_config(name: str) -> DetectorConfig:
    if name == "yunet" and _YUNET.exists():
        return DetectorConfig(
            name=name, model_path=_YUNET, model_sha256=FETCHED[name].sha256
        )
    return DetectorConfig(name=name)


@pytest.fixture(params=DETECTORS.names())
def detector(request: pytest.FixtureRequest) -> Detector:
    """Each registered detector whose weights are here."""
    try:
        return DETECTORS.make(request.param, _detector_config(request.param))
    except ModelFileError as error:
        pytest.skip(str(error))


@pytest.fixture(params=EMBEDDERS.names())
def embedder(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Embedder:
    """Each registered embedder; a stand-in for weights of which none are shipped."""
    config = EmbedderConfig(name=request.param)
    if request.param in {"arcface_onnx", "sface"}:
        path = tmp_path_factory.mktemp("models") / f"{request.param}.onnx"
        path.write_bytes(_arcface_network(batch="n"))
        config = _file_config(request.param, path)
    try:
        return EMBEDDERS.make(request.param, config)
    except ModelFileError as error:
        pytest.skip(str(error))


def _file_config(name: str, path: Path) -> EmbedderConfig:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return EmbedderConfig(name=name, model_path=path, model_sha256=digest)


def _arcface_network(*, batch: str | int, side: int = 112) -> bytes:
    """A network of ArcFace's contract: means over a grid, as 3 x 7 x 7 numbers."""
    onnx = pytest.importorskip("onnx")
    pool = onnx.helper.make_node(
        "AveragePool", ["data"], ["grid"], kernel_shape=[16, 16], strides=[16, 16]
    )
    flat = onnx.helper.make_node("Flatten", ["grid"], ["fc1"])
    kind = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        [pool, flat],
        "stand-in",
        [onnx.helper.make_tensor_value_info("data", kind, [batch, 3, side, side])],
        [onnx.helper.make_tensor_value_info("fc1", kind, [batch, 147])],
    )
    opset = onnx.helper.make_opsetid("", 17)
    model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=9)
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(
    "size", [(720, 1280), (360, 640), (256, 200), (33, 65)], ids=str
)
def test_detector_takes_any_size_and_finds_nothing_in_grey(
    detector: Detector, size: tuple[int, int]
) -> None:
    """Zero faces are a record with zero rows."""
    assert len(detector.detect(np.full((*size, 3), 128, np.uint8))) == 0


def test_detector_repeats_itself_and_sorts_by_score(detector: Detector) -> None:
    """Equal pictures give equal detections; scores fall and lie in [0, 1]."""
    noise = np.random.default_rng(0).integers(0, 255, (180, 320, 3), dtype=np.uint8)
    one, two = detector.detect(noise), detector.detect(noise)

    assert np.array_equal(one.boxes_xyxy, two.boxes_xyxy)
    assert np.all(np.diff(one.scores) <= 0)
    assert np.all((one.scores >= 0) & (one.scores <= 1))


def test_embedder_gives_unit_templates_of_its_dimension(embedder: Embedder) -> None:
    """Whatever the chip; none at all for no chips."""
    side = embedder.chip_px
    chips = np.random.default_rng(1).integers(0, 255, (3, side, side, 3), np.uint8)
    vectors = embedder.embed(chips).vectors

    assert vectors.shape == (3, embedder.dimension)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert embedder.embed(chips[:0]).vectors.shape == (0, embedder.dimension)


def test_embedding_does_not_depend_on_the_company(embedder: Embedder) -> None:
    """A chip embeds alike alone and in a batch."""
    side = embedder.chip_px
    chips = np.random.default_rng(2).integers(0, 255, (4, side, side, 3), np.uint8)
    together = embedder.embed(chips).vectors
    alone = np.concatenate([embedder.embed(chip[None]).vectors for chip in chips])

    assert np.allclose(together, alone, atol=1e-4)


@pytest.mark.parametrize(
    ("mirrors", "of_streams", "of_pictures"),
    [("none", False, False), ("pictures", False, True), ("all", True, True)],
)
def test_templates_are_averaged_with_their_mirror_images(
    mirrors: Literal["none", "pictures", "all"], of_streams: bool, of_pictures: bool
) -> None:
    """Where the settings say so, a chip and its mirror image embed alike."""
    config = EmbedderConfig(with_mirror=mirrors)
    chips = np.random.default_rng(4).integers(0, 255, (3, 80, 80, 3), np.uint8)

    for embedder, averages in (
        (make_embedder(config), of_streams),
        (make_picture_embedder(config), of_pictures),
    ):
        given, mirrored = (
            embedder.embed(seen).vectors for seen in (chips, chips[:, :, ::-1])
        )
        assert np.allclose(given, mirrored, atol=1e-5) == averages
        assert np.allclose(np.linalg.norm(given, axis=1), 1.0, atol=1e-6)
        assert embedder.embed(chips[:0]).vectors.shape == (0, embedder.dimension)


def test_sface_is_fed_rgb_from_0_to_255(tmp_path: Path) -> None:
    """As OpenCV's own `FaceRecognizerSF` feeds it: red first, nothing taken away."""
    path = tmp_path / "sface.onnx"
    path.write_bytes(_arcface_network(batch="n"))
    chip = np.zeros((1, 112, 112, 3), np.uint8)
    chip[..., 0], chip[..., 2] = 30, 90
    vector = EMBEDDERS.make("sface", _file_config("sface", path)).embed(chip).vectors[0]

    blue, green, red = vector[98:], vector[49:98], vector[:49]
    assert np.allclose(red, 3.0 * blue, atol=1e-6)
    assert np.all(green == 0.0)
    assert np.all(blue > 0.0)


def test_network_that_takes_one_chip_embeds_many(tmp_path: Path) -> None:
    """The zoo's files have a fixed batch of one; the pipeline need not know."""
    path = tmp_path / "one.onnx"
    path.write_bytes(_arcface_network(batch=1))
    embedder = EMBEDDERS.make("arcface_onnx", _file_config("arcface_onnx", path))
    chips = np.random.default_rng(3).integers(0, 255, (5, 112, 112, 3), np.uint8)

    assert embedder.chip_px == 112
    assert embedder.embed(chips).vectors.shape == (5, 147)


def test_pixels_reach_the_network_as_the_settings_say(tmp_path: Path) -> None:
    """Less the mean, over the deviation, red first."""
    path = tmp_path / "arcface.onnx"
    path.write_bytes(_arcface_network(batch="n"))
    config = _file_config("arcface_onnx", path).model_copy(
        update={"arcface_onnx": ArcFaceConfig(mean=100.0, deviation=50.0)}
    )
    chip = np.empty((1, 112, 112, 3), np.uint8)
    chip[...] = (50, 100, 200)
    vector = EMBEDDERS.make("arcface_onnx", config).embed(chip).vectors[0]

    expected = np.repeat([2.0, 0.0, -1.0], 49)
    assert np.allclose(vector, expected / np.linalg.norm(expected), atol=1e-6)


def test_network_of_another_contract_is_refused(tmp_path: Path) -> None:
    """The error says what the network takes."""
    path = tmp_path / "wide.onnx"
    content = _arcface_network(batch="n", side=112)
    path.write_bytes(content.replace(b"fc1", b"fc2"))
    config = _file_config("reference", path)
    with pytest.raises(ModelFileError, match="must take chips"):
        EMBEDDERS.make("reference", config)


@pytest.mark.parametrize("name", ["cuda", "openvino"])
def test_runtime_that_is_not_there_is_named(name: str) -> None:
    """With what to install or to choose instead."""
    if name == "openvino" and find_spec("openvino") is not None:
        pytest.skip("OpenVINO is installed")
    config = EmbedderConfig(runtime=RuntimeConfig(name=name))
    with pytest.raises(ModelFileError, match="choose runtime onnxruntime"):
        EMBEDDERS.make("reference", config)


@pytest.mark.skipif(find_spec("openvino") is None, reason="extra [openvino]")
def test_openvino_embeds_as_onnxruntime_does() -> None:
    """To within bfloat16's rounding."""
    first, second = (
        EMBEDDERS.make("reference", EmbedderConfig(runtime=RuntimeConfig(name=name)))
        for name in ("onnxruntime", "openvino")
    )
    shape = (3, first.chip_px, first.chip_px, 3)
    chips = np.random.default_rng(4).integers(0, 255, shape, np.uint8)
    vectors = [embedder.embed(chips).vectors for embedder in (first, second)]

    assert np.all((vectors[0] * vectors[1]).sum(axis=1) > 0.999)


def test_model_that_was_not_fetched_says_how_to_come_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run never downloads; it names the command that does."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelFileError, match="harness models fetch sface"):
        EMBEDDERS.make("sface", EmbedderConfig(name="sface"))
