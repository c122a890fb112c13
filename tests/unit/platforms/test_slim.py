"""One service at a time, and afterwards the whole package as if nothing had been done."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from tuneform.platforms.vertex import slim
client = slim.client_class("model_service")
assert slim.client_class("model_service") is client
asynchronous = slim.client_class("model_service", asynchronous=True)
transport = slim.transport_class("model_service")
services = {name.split(".")[4] for name in sys.modules if name.startswith("google.cloud.aiplatform_v1.services.")}
assert services == {"model_service"}, services
assert "google.cloud.aiplatform_v1" not in sys.modules
from google.cloud import aiplatform_v1
assert aiplatform_v1.ModelServiceClient is client
assert aiplatform_v1.ModelServiceAsyncClient is asynchronous
assert asynchronous.get_transport_class("grpc_asyncio") is transport
assert aiplatform_v1.types.Model is slim.types("model").Model
assert slim.client_class("endpoint_service") is aiplatform_v1.EndpointServiceClient
assert slim.message("model", "Model", name="x") == aiplatform_v1.Model(name="x")
"""


def test_one_service_is_loaded_and_the_whole_package_still_can_be() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
