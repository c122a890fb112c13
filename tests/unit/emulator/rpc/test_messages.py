"""Loading message classes, each check in an interpreter of its own: what is imported stays imported."""

from __future__ import annotations

import subprocess
import sys


def run(script: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def test_one_service_is_loaded_and_nothing_else() -> None:
    run("""
import sys
from tuneform_emulator.rpc import messages
messages.load("v1", "ModelService")
assert messages.message_class("google.cloud.aiplatform.v1.ListModelsResponse")
loaded = [name for name in sys.modules if name.startswith("google.cloud.aiplatform_v1")]
assert "google.cloud.aiplatform_v1.types.model_service" in loaded
assert "google.cloud.aiplatform_v1" not in loaded and "google.cloud.aiplatform_v1.types" not in loaded
assert not any(".services" in name or "tensorboard_service" in name for name in loaded)
""")


def test_the_package_can_be_imported_afterwards_and_has_the_same_classes() -> None:
    run("""
from tuneform_emulator.rpc import messages
messages.load("v1", "ModelService")
ours = messages.message_class("google.cloud.aiplatform.v1.Model")
from google.cloud import aiplatform_v1
assert aiplatform_v1.Model.pb() is ours
assert aiplatform_v1.ModelServiceClient
messages.load("v1", "EndpointService")
assert aiplatform_v1.Endpoint.pb() is messages.message_class("google.cloud.aiplatform.v1.Endpoint")
""")


def test_threads_that_import_the_package_meanwhile_get_it_whole() -> None:
    run("""
import importlib, threading
from tuneform_emulator.rpc import messages
ready = threading.Barrier(4)
failures = []
def ours(service):
    ready.wait()
    try:
        messages.load("v1", service)
        messages.message_class(f"google.cloud.aiplatform.v1.List{service.removesuffix('Service')}sResponse")
    except BaseException as error:
        failures.append(error)
def theirs():
    ready.wait()
    try:
        assert importlib.import_module("google.cloud.aiplatform_v1").ModelServiceClient
    except BaseException as error:
        failures.append(error)
threads = [threading.Thread(target=ours, args=(name,)) for name in ("ModelService", "EndpointService")]
threads += [threading.Thread(target=theirs) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not failures, failures
""")


def test_a_message_of_no_service_is_unknown() -> None:
    run("""
from tuneform_emulator.rpc import messages
for name in ("google.cloud.aiplatform.v1.NoSuchThing", "example.Other"):
    try:
        messages.message_class(name)
    except KeyError:
        continue
    raise AssertionError(name)
""")
