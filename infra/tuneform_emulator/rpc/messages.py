"""The message classes of Google's Vertex client, one service at a time.

`import google.cloud.aiplatform_v1` loads every service that Vertex has, which takes seconds; the message types
of one service take a few milliseconds (`python -X importtime` shows both). So the package's own `__init__` and
that of its `types` are not run when a module of types is loaded on its own. The import system's lock on the
package is held meanwhile: a thread that imports the package for itself waits, and then loads it whole, with the
same classes.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

from google.longrunning import operations_pb2
from google.protobuf import descriptor_pool, empty_pb2, message_factory
from google.protobuf.message import Message

from .methods import VERSIONS

TYPES: dict[str, tuple[str, ...]] = {
    "GenAiTuningService": ("genai_tuning_service",),
    "ModelService": ("model_service",),
    "EndpointService": ("endpoint_service",),
    "PredictionService": ("prediction_service",),
    "LlmUtilityService": ("llm_utility_service", "prediction_service"),
    "MetadataService": ("metadata_service",),
    "TensorboardService": ("tensorboard_service",),
}
"""The modules below `types` that hold a service's requests and responses; they import what they refer to."""

ALWAYS = (operations_pb2, empty_pb2)
"""Modules whose messages every service uses; importing them is what makes the messages known."""

_lock = threading.Lock()


class _Loaded(Exception):
    """Tells the import system to forget the package, now that the modules wanted are loaded."""


class _TypesOnly(MetaPathFinder, Loader):
    """Imports modules of a package's `types` inside an import of the package that comes to nothing."""

    def __init__(self, package: str, wanted: Iterable[str]) -> None:
        self._package = package
        self._types = f"{package}.types"
        self._wanted = tuple(wanted)
        self._thread = threading.get_ident()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in (self._package, self._types) or threading.get_ident() != self._thread:
            return None
        real = PathFinder.find_spec(fullname, path, target)
        if real is None:
            return None
        spec = ModuleSpec(fullname, self, origin=real.origin, is_package=True)
        spec.submodule_search_locations = real.submodule_search_locations
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        """Leaves it to the import system."""

    def exec_module(self, module: ModuleType) -> None:
        if module.__name__ == self._types:
            return
        try:
            for name in self._wanted:
                importlib.import_module(name)
        finally:
            sys.modules.pop(self._types, None)
        raise _Loaded


def load(version: str, service: str) -> None:
    """Makes the messages of a service of Vertex known, and those they refer to."""
    package = f"google.cloud.aiplatform_{version}"
    wanted = [f"{package}.types.{module}" for module in TYPES[service]]
    with _lock:
        if all(name in sys.modules for name in wanted):
            return
        finder = _TypesOnly(package, wanted)
        sys.meta_path.insert(0, finder)
        try:
            importlib.import_module(package)
        except _Loaded:
            return
        finally:
            sys.meta_path.remove(finder)
    # Somebody has imported, or is importing, the whole package.
    for name in wanted:
        importlib.import_module(name)


def message_class(full_name: str) -> type[Message]:
    """The class of a message; raises KeyError for one that no module here has.

    Classes that no request of this process has needed yet are looked for in all services: an operation polled
    after a restart holds messages of whichever service began it.
    """
    pool = descriptor_pool.Default()
    try:
        return message_factory.GetMessageClass(pool.FindMessageTypeByName(full_name))
    except KeyError:
        version = full_name.removeprefix("google.cloud.aiplatform.").partition(".")[0]
        if version not in VERSIONS:
            raise
    for service in TYPES:
        load(version, service)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(full_name))
