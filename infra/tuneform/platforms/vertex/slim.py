"""Google's Vertex clients, one service at a time.

`import google.cloud.aiplatform_v1` loads every service that Vertex has, which takes several seconds
(`python -X importtime -c "import google.cloud.aiplatform_v1"` shows where they go). Here the package's two
`__init__` modules are stood aside for the moment of an import, so that only the service asked for is loaded.
Afterwards they may be imported as usual, and find the same classes.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

PACKAGE = "google.cloud.aiplatform_v1"
_LOCK = threading.RLock()


def client_class(service: str, *, asynchronous: bool = False) -> Any:
    """The client class of a service, e.g. `model_service` → `ModelServiceClient` or `ModelServiceAsyncClient`."""
    module = "async_client" if asynchronous else "client"
    kind = "AsyncClient" if asynchronous else "Client"
    return getattr(_load(f"{PACKAGE}.services.{service}.{module}"), _camel(service) + kind)


def transport_class(service: str) -> Any:
    """The async gRPC transport of a service, e.g. `ModelServiceGrpcAsyncIOTransport`."""
    module = _load(f"{PACKAGE}.services.{service}.transports.grpc_asyncio")
    return getattr(module, f"{_camel(service)}GrpcAsyncIOTransport")


def types(module: str) -> Any:
    """A module of message types, e.g. `tuning_job`."""
    return _load(f"{PACKAGE}.types.{module}")


def message(module: str, name: str, /, **fields: Any) -> Any:
    """A message, e.g. `message("tuning_job", "TuningJob", base_model=…)`."""
    return getattr(types(module), name)(**fields)


def _camel(service: str) -> str:
    return "".join(word.capitalize() for word in service.split("_"))


def _load(name: str) -> ModuleType:
    with _LOCK:
        if name in sys.modules:
            return sys.modules[name]
        if PACKAGE in sys.modules:
            return importlib.import_module(name)
        with _without_init(PACKAGE, f"{PACKAGE}.types"):
            return importlib.import_module(name)


@contextmanager
def _without_init(*packages: str) -> Iterator[None]:
    """Let submodules of these packages be imported without running the packages' own code."""
    for package in packages:
        spec = importlib.util.find_spec(package)
        assert spec is not None, f"{package} is a dependency of tuneform"
        module = importlib.util.module_from_spec(spec)
        sys.modules[package] = module
        parent, _, child = package.rpartition(".")
        if parent in sys.modules:
            setattr(sys.modules[parent], child, module)
    try:
        yield
    finally:
        for package in reversed(packages):
            parent, _, child = package.rpartition(".")
            del sys.modules[package]
            if parent in sys.modules and hasattr(sys.modules[parent], child):
                delattr(sys.modules[parent], child)
