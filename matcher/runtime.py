"""What runs a network: onnxruntime, on the CPU or a GPU, or OpenVINO.

Owns the choice and the one call that all of them answer. Knows nothing of what a
network computes; `matcher.weights` verifies its file and, for onnxruntime, opens it.

OpenVINO is the extra `[openvino]`. On processors with bfloat16 arithmetic it halves the
time of the shipped networks, where onnxruntime has float32 alone.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

from matcher.errors import ModelFileError
from matcher.weights import open_session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

    from matcher.plugin_config import RuntimeConfig
    from matcher.weights import ModelFile

__all__ = ["Network", "open_network"]

_PROVIDERS = {
    "onnxruntime": ("CPUExecutionProvider",),
    "cuda": ("CUDAExecutionProvider",),
}


class Network(Protocol):
    """A loaded network."""

    def run(
        self, outputs: Sequence[str], feeds: Mapping[str, NDArray[np.float32]]
    ) -> list[NDArray[np.float32]]:
        """Compute some outputs from all inputs."""
        ...

    def shape_of(self, name: str) -> tuple[int | None, ...]:
        """Return the shape of an input or output; None where it may vary."""
        ...


class _OnnxNetwork:
    """A network in onnxruntime."""

    def __init__(
        self,
        model: ModelFile,
        *,
        inputs: tuple[str, ...],
        outputs: tuple[str, ...],
        config: RuntimeConfig,
    ) -> None:
        self._session = open_session(
            model,
            inputs=inputs,
            outputs=outputs,
            providers=_PROVIDERS[config.name],
            threads=config.threads,
        )

    def run(
        self, outputs: Sequence[str], feeds: Mapping[str, NDArray[np.float32]]
    ) -> list[NDArray[np.float32]]:
        found: list[NDArray[np.float32]] = self._session.run(list(outputs), dict(feeds))
        return found

    def shape_of(self, name: str) -> tuple[int | None, ...]:
        nodes = [*self._session.get_inputs(), *self._session.get_outputs()]
        (shape,) = (node.shape for node in nodes if node.name == name)
        return tuple(side if isinstance(side, int) else None for side in shape)


class _OpenVinoNetwork:
    """A network in OpenVINO, at the precision that the processor does best."""

    def __init__(
        self,
        model: ModelFile,
        *,
        inputs: tuple[str, ...],
        outputs: tuple[str, ...],
        config: RuntimeConfig,
    ) -> None:
        if find_spec("openvino") is None:
            complaint = (
                "cannot run in OpenVINO, which is not installed; install the extra "
                "'.[openvino]' or choose runtime onnxruntime"
            )
            raise ModelFileError(model.path, complaint)
        openvino: Any = import_module("openvino")
        core = openvino.Core()
        try:
            read = core.read_model(model.content, b"")
        except RuntimeError as error:
            complaint = f"must be an ONNX network, got: {error}; export it again"
            raise ModelFileError(model.path, complaint) from error
        self._compiled = core.compile_model(
            read,
            "CPU",
            {
                "INFERENCE_NUM_THREADS": config.threads,
                "NUM_STREAMS": 1,
                # Workers are pinned by the engine, or not at all.
                "ENABLE_CPU_PINNING": False,
            },
        )
        names = {n for port in self._compiled.inputs for n in port.names}
        if names != set(inputs):
            complaint = (
                f"must take {', '.join(inputs)}, it takes {', '.join(sorted(names))}; "
                "choose the plug-in that was written for it"
            )
            raise ModelFileError(model.path, complaint)
        self._request = self._compiled.create_infer_request()
        self._outputs = outputs

    def run(
        self, outputs: Sequence[str], feeds: Mapping[str, NDArray[np.float32]]
    ) -> list[NDArray[np.float32]]:
        found = self._request.infer(dict(feeds), share_inputs=True)
        return [found[name] for name in outputs]

    def shape_of(self, name: str) -> tuple[int | None, ...]:
        ports = [*self._compiled.inputs, *self._compiled.outputs]
        (shape,) = (p.partial_shape for p in ports if name in p.names)
        return tuple(s.get_length() if s.is_static else None for s in shape)


def open_network(
    model: ModelFile,
    *,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    config: RuntimeConfig,
) -> Network:
    """Load a network into the runtime that the settings name.

    Raises:
        ModelFileError: If the runtime is not there, or the file is no ONNX network or
            one of other inputs or outputs.
    """
    kind = _OpenVinoNetwork if config.name == "openvino" else _OnnxNetwork
    return kind(model, inputs=inputs, outputs=outputs, config=config)
