"""Claims about `harness models fetch`: nothing is kept that is not what was meant."""

import hashlib

import pytest

from commands import models as command
from lfr_errors import BadInputError
from matcher.known_models import KnownModel

CONTENT = b"a network"


@pytest.fixture
def known(tmp_path, monkeypatch):
    """One known model, a folder of one's own, and no way out of this machine."""
    model = KnownModel(
        file="toy.onnx",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        url="https://models.example/toy.onnx",
    )
    monkeypatch.setattr(command, "FETCHED", {"toy": model})
    monkeypatch.setattr(command, "MODELS", tmp_path / "models")

    def refuse(*_args, **_kwargs):
        raise OSError("no network in tests")

    monkeypatch.setattr(command.urllib.request, "urlopen", refuse)
    return tmp_path


def test_model_is_fetched_from_a_path_and_verified(known):
    (known / "given.onnx").write_bytes(CONTENT)
    command.fetch("toy", str(known / "given.onnx"))
    assert (known / "models/toy.onnx").read_bytes() == CONTENT
    assert [path.name for path in (known / "models").iterdir()] == ["toy.onnx"]


@pytest.mark.parametrize(
    ("name", "source", "complaint"),
    [
        ("tay", None, "must be one of toy"),
        ("toy", "altered", "must have SHA-256"),
        ("toy", "absent", "must be readable"),
        ("toy", "ftp://models.example/toy", "by https"),
        ("toy", None, "no network in tests"),
    ],
    ids=["unknown", "altered", "absent", "protocol", "unreachable"],
)
def test_what_cannot_be_verified_is_not_kept(known, name, source, complaint):
    (known / "altered").write_bytes(CONTENT + b"!")
    if source in {"altered", "absent"}:
        source = str(known / source)
    with pytest.raises(BadInputError, match=complaint):
        command.fetch(name, source)
    assert not (known / "models").exists()
