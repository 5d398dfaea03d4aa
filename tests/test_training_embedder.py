"""Claims about training an embedder: afresh, interrupted, and once more."""

# ruff: noqa: E402  the skip comes before what would fail without PyTorch

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

import onnxruntime

from training import train_embedder
from training.export import export_embedder, export_refiner
from training.faces_dataset import load_faces, monk_tones
from training.losses import MarginHead
from training.networks import (
    CHIP_PX,
    EMBEDDER_DEPTHS,
    FaceEmbedder,
    LandmarkRefiner,
)
from training.restored import exported_embedder, saved_embedder
from training.train_embedder import rows_of_epoch, train
from training.trainee import EmbedderTraining, Loss

_MARKS = np.array([[40, 44], [72, 44], [56, 64], [42, 82], [70, 82]], np.float32)
_PEOPLE, _DAYS, _VIEWS = 16, 3, 3
CONFIG = EmbedderTraining(
    losses=(Loss.COSFACE,), epochs=2, batch_size=24, n_validation=8
)


@pytest.fixture
def shards(tmp_path: Path) -> list[Path]:
    """One shard of people who are plain colours."""
    rng = np.random.default_rng(0)
    person, day, _ = np.indices((_PEOPLE, _DAYS, _VIEWS)).reshape(3, -1)
    n = len(person)
    colours = rng.integers(40, 220, (_PEOPLE, 1, 1, 3))
    pictures = colours[person] + rng.integers(-20, 20, (n, 112, 112, 3))
    np.savez(
        tmp_path / "shard_0000.npz",
        images_bgr=pictures.astype(np.uint8),
        landmarks=np.repeat(_MARKS[None], n, axis=0),
        face_height_px=np.full(n, 84.0, np.float32),
        person=person,
        day=day,
        enrolment=np.zeros(n, np.bool_),
    )
    return [tmp_path]


def _chips(n: int) -> "torch.Tensor":
    generator = torch.Generator().manual_seed(n)
    return 255.0 * torch.rand(n, 3, CHIP_PX, CHIP_PX, generator=generator)


def _used(seed: int, depths: tuple[int, ...] = EMBEDDER_DEPTHS) -> FaceEmbedder:
    """A network whose norms have seen something and whose weights are no longer new."""
    torch.manual_seed(seed)
    embedder = FaceEmbedder(depths=depths).train()
    with torch.no_grad():
        for weight in embedder.parameters():
            weight.add_(0.05 * torch.randn_like(weight))
        embedder(_chips(16))
    return embedder.eval()


def test_an_exported_embedder_comes_back_as_it_was(tmp_path: Path) -> None:
    """It computes what the file does; in training mode, on the same chips, nearly."""
    torch.save(_used(1).state_dict(), tmp_path / "e.pt")
    export_embedder(tmp_path / "e.pt", tmp_path / "e.onnx")
    chips = _chips(24)
    restored = exported_embedder(tmp_path / "e.onnx", [chips[:12], chips[12:]])
    session = onnxruntime.InferenceSession(str(tmp_path / "e.onnx"))
    (wanted,) = session.run(None, {"chips": chips.numpy()})
    with torch.no_grad():
        given = restored(chips).numpy()
        body = restored.body(chips / 64.0 - 127.5 / 64.0)
        learning = restored.train().body(chips / 64.0 - 127.5 / 64.0)
    np.testing.assert_allclose(given, wanted, rtol=0.0, atol=1e-3 * wanted.std())
    # What the norms were given as seen is what they see.
    assert float((learning - body).abs().max()) < 1e-2 * float(body.std())


def test_an_embedder_is_deepened_without_changing_what_it_computes() -> None:
    """Blocks that have not learnt pass on what they are given."""
    embedder = _used(3)
    deeper = embedder.deepened((1, 2, 4, 2)).eval()
    assert (embedder.depths, deeper.depths) == ((0, 2, 3, 2), (1, 2, 4, 2))
    chips = _chips(4)
    with torch.no_grad():
        assert torch.equal(deeper(chips), embedder(chips))


def test_files_say_how_deep_their_network_is(tmp_path: Path) -> None:
    """A state dictionary and an exported network alike."""
    torch.save(_used(3, (1, 2, 4, 2)).state_dict(), tmp_path / "e.pt")
    assert saved_embedder(tmp_path / "e.pt").depths == (1, 2, 4, 2)
    export_embedder(tmp_path / "e.pt", tmp_path / "e.onnx")
    restored = exported_embedder(tmp_path / "e.onnx", [_chips(4)])
    assert restored.depths == (1, 2, 4, 2)


def test_an_added_block_learns() -> None:
    """It is not stuck at passing on: its last norm has a gradient at once."""
    deeper = _used(3).deepened((0, 2, 4, 2)).train()
    deeper(_chips(8)).square().sum().backward()
    (added,) = [
        m
        for m in deeper.body
        if getattr(m, "norm", None) is not None and not m.norm.weight.any()
    ]
    assert added.norm.weight.grad.abs().max() > 0


def test_people_of_dark_skin_are_shown_twice(shards: list[Path]) -> None:
    """From the tone that is given on, every view of theirs; the others once."""
    faces = load_faces(shards)
    rows = np.arange(len(faces))
    tones = monk_tones(np.arange(_PEOPLE))
    limit = int(np.sort(tones)[_PEOPLE // 2])
    shown = rows_of_epoch(rows, faces, twice_from_tone=limit)
    times = np.bincount(shown, minlength=len(rows))
    assert np.array_equal(times, 1 + (tones[faces.person] >= limit))
    assert set(times) == {1, 2}
    assert np.array_equal(rows_of_epoch(rows, faces, twice_from_tone=None), rows)


def test_a_file_of_another_shape_is_refused(tmp_path: Path) -> None:
    """A network that training.export did not write is told of in one sentence."""
    torch.save(LandmarkRefiner().state_dict(), tmp_path / "r.pt")
    export_refiner(tmp_path / "r.pt", tmp_path / "r.onnx")
    with pytest.raises(ValueError, match=r"export it with training\.export"):
        exported_embedder(tmp_path / "r.onnx", [])


def test_frozen_layers_neither_learn_nor_count() -> None:
    """Their weights have no gradient, their norms no new means, in any mode."""
    embedder = _used(2)
    embedder.freeze(4)
    before = {name: value.clone() for name, value in embedder.state_dict().items()}
    embedder.train()
    embedder(_chips(8)).square().sum().backward()
    for name, weight in embedder.named_parameters():
        is_frozen = name.startswith(tuple(f"body.{k}." for k in range(4)))
        assert (weight.grad is None) == is_frozen, name
    after = embedder.state_dict()
    assert torch.equal(after["body.0.1.running_mean"], before["body.0.1.running_mean"])
    assert not torch.equal(
        after["body.4.1.running_mean"], before["body.4.1.running_mean"]
    )


def test_centres_begin_where_their_people_are() -> None:
    """Each is the mean direction of its vectors; those of nobody else move it."""
    torch.manual_seed(0)
    head = MarginHead(n_identities=3, dimension=8, scale=30.0)
    vectors = torch.randn(9, 8)
    identities = torch.arange(9) % 3
    head.begin_at(vectors, identities)
    unit = torch.nn.functional.normalize(vectors)
    for k in range(3):
        mean = unit[identities == k].mean(0)
        cosine = torch.nn.functional.cosine_similarity(
            head.centres[k].detach(), mean, dim=0
        )
        assert float(cosine) == pytest.approx(1.0, abs=1e-6)


def _train(shards: list[Path], out: Path, **options: object) -> dict:
    path = train(
        CONFIG,
        shards=shards,
        out=out,
        workers=1,
        device=torch.device("cpu"),
        **options,
    )
    return torch.load(path, weights_only=True)


def test_an_interrupted_training_ends_where_an_uninterrupted_one_does(
    shards: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is stopped after an epoch goes on with the next one, to the same weights."""
    torch.use_deterministic_algorithms(mode=True)
    wanted = _train(shards, tmp_path / "whole")
    keep = train_embedder._keep

    def keep_and_stop(*given: object, **named: object) -> None:
        keep(*given, **named)
        raise KeyboardInterrupt

    monkeypatch.setattr(train_embedder, "_keep", keep_and_stop)
    with pytest.raises(KeyboardInterrupt):
        _train(shards, tmp_path / "stopped")
    monkeypatch.setattr(train_embedder, "_keep", keep)
    given = _train(shards, tmp_path / "stopped")
    torch.use_deterministic_algorithms(mode=False)
    assert given.keys() == wanted.keys()
    for name, value in wanted.items():
        np.testing.assert_allclose(given[name], value, rtol=1e-4, atol=1e-5)


def test_a_second_training_begins_with_the_network_it_is_given(
    shards: list[Path], tmp_path: Path
) -> None:
    """With steps of no length it ends as that network."""
    torch.save(_used(3).state_dict(), tmp_path / "e.pt")
    still = CONFIG.model_copy(update={"learning_rate": 1e-12, "epochs": 1})
    path = train(
        still,
        shards=shards,
        out=tmp_path / "second",
        workers=1,
        device=torch.device("cpu"),
        start_from=tmp_path / "e.pt",
    )
    given = torch.load(path, weights_only=True)
    wanted = torch.load(tmp_path / "e.pt", weights_only=True)
    for name, value in wanted.items():
        if "running" not in name and "num_batches" not in name:
            np.testing.assert_allclose(given[name], value, rtol=1e-4, atol=1e-6)
