"""Reads an embedder back as a network that can go on learning.

Owns the way back from a state dictionary, and from the folded weights of an ONNX file
to convolutions and norms. What a norm has seen is lost in folding, so it is measured
anew on chips. A file says itself how deep its network is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx
import torch
from onnx import numpy_helper
from torch import nn

from training.networks import EMBEDDER_DEPTHS, FaceEmbedder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from torch import Tensor

__all__ = ["exported_embedder", "saved_embedder"]

# Length of a fresh network's filters, whatever they span (PyTorch's default draw). A
# step turns a filter the further the shorter it is, so all are brought to one length.
_FILTER_LENGTH = 3**-0.5


def saved_embedder(path: Path) -> FaceEmbedder:
    """Read the state dictionary of an embedder, of any depth.

    Raises:
        RuntimeError: If the file holds a network of another kind.
    """
    state = torch.load(path, map_location="cpu", weights_only=True)
    embedder = FaceEmbedder(
        depths=_depths([weight for weight in state.values() if weight.ndim == 4])
    )
    embedder.load_state_dict(state)
    return embedder


def exported_embedder(path: Path, batches: Sequence[Tensor]) -> FaceEmbedder:
    """Read an embedder that `training.export` wrote.

    Args:
        path: The ONNX file.
        batches: (n, 3, c, c) chips as in training, 0..255; the norms' means and
            variances are those of these.

    Returns:
        The network, in evaluation mode; it computes what the file does, up to
        rounding.

    Raises:
        ValueError: If the file holds a network of another shape.
    """
    graph = onnx.load(path).graph
    stored = {
        tensor.name.removesuffix(".half"): torch.from_numpy(
            numpy_helper.to_array(tensor).astype("float32")
        )
        for tensor in graph.initializer
    }
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    embedder = FaceEmbedder(
        depths=_depths([stored[node.input[1]] for node in convolutions])
    )
    pairs = list(_with_norms(embedder))
    products = [node for node in graph.node if node.op_type == "MatMul"]
    if (len(convolutions), len(products)) != (len(pairs), 1):
        message = (
            f"an exported embedder must have {len(pairs)} convolutions and a product, "
            f"{path} has {len(convolutions)} and {len(products)}; "
            "export it with training.export"
        )
        raise ValueError(message)
    with torch.no_grad():
        for node, (convolution, norm) in zip(convolutions, pairs, strict=True):
            convolution.weight.copy_(stored[node.input[1]])
            # The bias in the norm's place: what it has seen is not known yet.
            norm.load_state_dict(
                _norm_state(
                    mean=torch.zeros(norm.num_features),
                    variance=torch.full((norm.num_features,), 1.0 - norm.eps),
                    weight=torch.ones(norm.num_features),
                    bias=stored[node.input[2]],
                )
            )
        pool = embedder.pool.state_dict()
        pool["3.weight"].copy_(stored[products[0].input[1]].T)
        for name in ("4.running_mean", "4.running_var"):
            pool[name].copy_(stored[f"pool.{name}"])
    embedder.eval()
    _unfold(embedder, pairs, batches)
    return embedder


def _depths(filters: Sequence[Tensor]) -> tuple[int, ...]:
    """Count the blocks of each stage: two convolutions that keep the channels.

    Args:
        filters: Of all convolutions in the order of their work; a depthwise one, as
            pools, has one channel in.

    Returns:
        The depths; those of a fresh network if the filters are not an embedder's, so
        that whoever fills the network finds that they do not fit.
    """
    kept: list[int] = []
    for c_out, c_in in (f.shape[:2] for f in filters if f.shape[1] > 1):
        if c_in != c_out:
            kept.append(0)
        elif kept:
            kept[-1] += 1
    if len(kept) != len(EMBEDDER_DEPTHS):
        return EMBEDDER_DEPTHS
    return tuple(n // 2 for n in kept)


def _with_norms(
    embedder: FaceEmbedder,
) -> Iterator[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Pair each convolution with the norm after it, in the order of their work."""
    convolution = None
    for module in embedder.modules():
        if isinstance(module, nn.Conv2d):
            convolution = module
        elif isinstance(module, nn.BatchNorm2d) and convolution is not None:
            yield convolution, module


def _unfold(
    embedder: FaceEmbedder,
    pairs: Sequence[tuple[nn.Conv2d, nn.BatchNorm2d]],
    batches: Sequence[Tensor],
) -> None:
    """Give each norm the mean and variance of what reaches it, changing no output."""
    sums: dict[nn.Module, Tensor] = {
        norm: torch.zeros(2, norm.num_features) for _, norm in pairs
    }
    count = dict.fromkeys(sums, 0)

    def count_in(norm: nn.Module, given: tuple[Tensor, ...]) -> None:
        values = given[0].transpose(0, 1).flatten(1)
        sums[norm] += torch.stack((values.sum(1), values.square().sum(1)))
        count[norm] += values.shape[1]

    hooks = [norm.register_forward_pre_hook(count_in) for norm in sums]
    with torch.no_grad():
        for batch in batches:
            embedder(batch)
        for hook in hooks:
            hook.remove()
        for convolution, norm in pairs:
            mean, square = sums[norm] / count[norm]
            variance = square - mean.square()
            lengths = convolution.weight.flatten(1).norm(dim=1)
            # Training may have left a filter at nothing.
            stretch = _FILTER_LENGTH / lengths.clamp_min(1e-6)
            convolution.weight.mul_(stretch[:, None, None, None])
            deviation = (stretch.square() * variance + norm.eps).sqrt()
            norm.load_state_dict(
                _norm_state(
                    mean=stretch * mean,
                    variance=stretch.square() * variance,
                    weight=deviation / stretch,
                    bias=norm.bias + mean,
                )
            )


def _norm_state(
    *, mean: Tensor, variance: Tensor, weight: Tensor, bias: Tensor
) -> dict[str, Tensor]:
    return {
        "running_mean": mean,
        "running_var": variance,
        "weight": weight,
        "bias": bias,
        "num_batches_tracked": torch.tensor(0),
    }
