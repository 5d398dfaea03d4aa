"""Claims about the networks, their losses and their export."""

# ruff: noqa: E402  the skip comes before what would fail without PyTorch

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from matcher.weights import read_manifest, read_model
from training.export import Network, publish
from training.feeding import feed
from training.losses import AdaptiveMarginHead, MarginHead, assign, detection_loss
from training.networks import STRIDES, FaceDetector, FaceEmbedder, LandmarkRefiner


def _boxes(*rows: tuple[float, float, float, float]) -> "torch.Tensor":
    return torch.tensor([rows], dtype=torch.float32)


def test_detector_maps_are_as_its_contract_says() -> None:
    """Each stride s gives (n, 1 | 4 | 10, h/s, w/s), distances positive."""
    with torch.no_grad():
        maps = FaceDetector().eval()(torch.rand(2, 3, 64, 96) * 255)
    for stride, level in zip(STRIDES, maps, strict=True):
        shapes = [tuple(m.shape) for m in level]
        size = (64 // stride, 96 // stride)
        assert shapes == [(2, c, *size) for c in (1, 4, 10)]
        assert bool((level[1] > 0).all())


@pytest.mark.parametrize(
    ("height", "stride"), [(12, 8), (40, 8), (60, 16), (120, 32)], ids=str
)
def test_a_face_belongs_to_the_stride_of_its_height(height: int, stride: int) -> None:
    """All cells that answer for a face are of one stride and lie near its centre."""
    box = _boxes((100, 90, 100 + 0.8 * height, 90 + height))
    targets = assign(box, torch.ones(1, 1).long(), height_px=256, width_px=256)
    chosen = targets.face[0] >= 0
    assert int(chosen.sum()) > 0
    assert set(targets.strides[chosen].tolist()) == {float(stride)}
    centre = torch.tensor([100 + 0.4 * height, 90 + 0.5 * height])
    miss = (targets.centres[chosen] - centre).abs().max()
    assert float(miss) <= 1.2 * stride


def test_regions_to_ignore_count_neither_way() -> None:
    """No cell inside such a region is background, none answers for it."""
    box = _boxes((40, 40, 80, 90))
    targets = assign(box, torch.tensor([[-1]]), height_px=128, width_px=128)
    x, y = targets.centres.T
    inside = (x >= 40) & (x <= 80) & (y >= 40) & (y <= 90)
    assert set(targets.face[0][inside].tolist()) == {-2}
    assert set(targets.face[0][~inside].tolist()) == {-1}


def test_a_perfect_prediction_costs_next_to_nothing() -> None:
    """Boxes, points and scores that equal the truth leave a loss near zero."""
    boxes = _boxes((30, 30, 54, 60))
    points = torch.rand(1, 1, 5, 2) * 20 + 32
    kinds = torch.ones(1, 1).long()
    targets = assign(boxes, kinds, height_px=64, width_px=96)
    maps, start = [], 0
    for stride in STRIDES:
        h, w = 64 // stride, 96 // stride
        centre = targets.centres[start : start + h * w]
        chosen = targets.face[0, start : start + h * w] >= 0
        start += h * w
        box = torch.cat([centre - boxes[0, 0, :2], boxes[0, 0, 2:] - centre], 1)
        point = (points[0, 0][None] - centre[:, None]).reshape(-1, 10)
        score = torch.where(chosen, 12.0, -12.0)[:, None]
        maps.append(
            tuple(
                m.T.reshape(1, -1, h, w) for m in (score, box / stride, point / stride)
            )
        )
    assert float(detection_loss(tuple(maps), boxes, points, targets)) < 1e-3


@pytest.mark.parametrize("kind", [MarginHead, AdaptiveMarginHead], ids=str)
def test_a_margin_makes_the_same_cosines_cost_more(kind: type[MarginHead]) -> None:
    """The margin demands a lead of the own identity."""
    torch.manual_seed(0)
    head = kind(n_identities=5, dimension=8, scale=30.0).eval()
    vectors, identities = torch.randn(4, 8), torch.arange(4)
    assert head(vectors, identities, 0.4) > head(vectors, identities, 0.0)


def test_an_adaptive_margin_asks_less_of_poor_pictures() -> None:
    """Of two equal directions, the shorter vector, far from its centre, costs less."""
    torch.manual_seed(0)
    head = AdaptiveMarginHead(n_identities=5, dimension=8, scale=30.0).eval()
    direction = torch.nn.functional.normalize(-head.centres[:1] + 0.02, dim=1)
    identities = torch.zeros(1).long()
    poor, good = (head(length * direction, identities, 0.4) for length in (0.5, 9.0))
    assert poor < good


@pytest.mark.parametrize("workers", [1, 2])
def test_a_batch_is_a_function_of_its_number(workers: int) -> None:
    """However many workers make batches, they arrive in order and are the same."""

    def make(number: int) -> tuple["torch.Tensor"]:
        rng = np.random.default_rng(number)
        return (torch.from_numpy(rng.standard_normal(3)),)

    fed = feed(make, range(5), workers=workers, device=torch.device("cpu"))
    for number, (given,) in enumerate(fed):
        assert torch.equal(given, make(number)[0])


def test_published_weights_verify_and_agree_with_the_modules(tmp_path: Path) -> None:
    """Export checks graph against module; the manifest names the files' hashes."""
    torch.manual_seed(0)
    torch.save(FaceDetector().state_dict(), tmp_path / "d.pt")
    torch.save(LandmarkRefiner().state_dict(), tmp_path / "r.pt")
    torch.save(FaceEmbedder().state_dict(), tmp_path / "e.pt")
    folder = tmp_path / "weights"
    states = {
        Network.DETECTOR: tmp_path / "d.pt",
        Network.REFINER: tmp_path / "r.pt",
        Network.EMBEDDER: tmp_path / "e.pt",
    }
    publish(states, score_threshold=0.4, folder=folder)
    manifest = read_manifest(folder)
    for entry in (manifest.detector, manifest.refiner, manifest.embedder):
        assert read_model(folder / entry.file, sha256=entry.sha256).content
    assert sum(p.stat().st_size for p in folder.glob("*.onnx")) < 8_000_000
    assert manifest.embedder.dimension == 128
    assert np.isclose(manifest.detector.score_threshold, 0.4)


def test_an_embedder_alone_is_published_beside_what_lies_there(tmp_path: Path) -> None:
    """The other networks and the detector's threshold stay, to the byte."""
    torch.manual_seed(0)
    for name, module in (
        ("d", FaceDetector()),
        ("r", LandmarkRefiner()),
        ("e", FaceEmbedder()),
        ("second", FaceEmbedder()),
    ):
        torch.save(module.state_dict(), tmp_path / f"{name}.pt")
    states = {
        Network.DETECTOR: tmp_path / "d.pt",
        Network.REFINER: tmp_path / "r.pt",
        Network.EMBEDDER: tmp_path / "e.pt",
    }
    before = publish(states, score_threshold=0.4, folder=tmp_path)
    second = {Network.EMBEDDER: tmp_path / "second.pt"}
    after = publish(second, score_threshold=None, folder=tmp_path)
    assert after.detector == before.detector
    assert after.refiner == before.refiner
    assert after.embedder.sha256 != before.embedder.sha256
