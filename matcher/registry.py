"""Plug-ins by name.

Owns the three registries. Knows nothing of what is registered: a plug-in's module
registers its factory, and the package's `__init__.py` imports that module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar

from matcher.errors import UnknownPluginError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from matcher.config import DetectorConfig, EmbedderConfig
    from matcher.index_config import IndexConfig
    from matcher.protocols import Detector, Embedder, StoredIndex

__all__ = ["DETECTORS", "EMBEDDERS", "INDEXES", "INDEX_READERS", "Registry"]

P = ParamSpec("P")
T = TypeVar("T")


class Registry(Generic[P, T]):
    """Factories of one kind of plug-in.

    Attributes:
        kind: What they make, for messages.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._factories: dict[str, Callable[P, T]] = {}

    def register(self, name: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
        """Register the factory below under `name`.

        Raises:
            ValueError: If the name is taken.
        """
        if name in self._factories:
            message = f"{self.kind} {name!r} is already registered; choose another name"
            raise ValueError(message)

        def keep(factory: Callable[P, T]) -> Callable[P, T]:
            self._factories[name] = factory
            return factory

        return keep

    def names(self) -> tuple[str, ...]:
        """List the registered names, sorted."""
        return tuple(sorted(self._factories))

    def make(self, name: str, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the factory of that name.

        Raises:
            UnknownPluginError: If there is none; the message names the nearest.
        """
        if name not in self._factories:
            raise UnknownPluginError(self.kind, name, self._factories)
        return self._factories[name](*args, **kwargs)


# Filled by the imports in `matcher.detectors`, `matcher.embedders`, `matcher.indexes`.
DETECTORS: Registry[[DetectorConfig], Detector] = Registry("detector")
EMBEDDERS: Registry[[EmbedderConfig], Embedder] = Registry("embedder")
# An index is made over the gallery's templates: (n, d) float32, unit length; or read
# from the file that `StoredIndex.save` wrote over the same templates.
INDEXES: Registry[[IndexConfig, NDArray[np.float32]], StoredIndex] = Registry("index")
INDEX_READERS: Registry[[IndexConfig, NDArray[np.float32], Path], StoredIndex] = (
    Registry("index")
)
