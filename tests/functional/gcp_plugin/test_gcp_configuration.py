from __future__ import annotations

import json

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from tuneform_emulator.gcp_plugin.server import GcpProvider
from tuneform_emulator.gcp_plugin.values import to_struct

from .driver import Plugin

CONFIG_URN = "urn:pulumi:stack::project::pulumi:providers:gcp::default"


def reasons(provider: GcpProvider, **args: str) -> list[str]:
    answer = provider.check_config(provider_pb2.CheckRequest(urn=CONFIG_URN, news=to_struct(args)))
    return [failure.reason for failure in answer.failures]


def test_the_plugin_says_it_is_the_gcp_plugin_of_the_sdk(
    stub: provider_pb2_grpc.ResourceProviderStub,
) -> None:
    assert stub.GetPluginInfo(empty_pb2.Empty()).version == "10.2.0"
    schema = json.loads(stub.GetSchema(provider_pb2.GetSchemaRequest()).schema)
    assert schema["name"] == "gcp"
    assert "gcp:storage/bucket:Bucket" in schema["resources"]


def test_without_an_endpoint_the_configuration_is_refused() -> None:
    (reason,) = reasons(GcpProvider({}), project="p1")
    assert reason.startswith("TUNEFORM_ENDPOINT is not set")


def test_an_endpoint_elsewhere_is_refused() -> None:
    (reason,) = reasons(GcpProvider({"TUNEFORM_ENDPOINT": "http://192.0.2.1:80"}), project="p1")
    assert "is not on this machine" in reason


def test_settings_are_checked_against_pulumi_gcps_own(endpoint: str) -> None:
    provider = GcpProvider({"TUNEFORM_ENDPOINT": endpoint})
    assert (
        reasons(provider, project="p1", region="eu", version="10.2.0", addPulumiAttributionLabel="false")
        == []
    )
    (unknown,) = reasons(provider, projekt="p1")
    assert "did you mean 'project'?" in unknown
    (unsupported,) = reasons(provider, accessToken="t")
    assert "not by the emulator's stand-in" in unsupported


def test_another_project_is_another_provider() -> None:
    answer = GcpProvider({}).diff_config(
        provider_pb2.DiffRequest(
            urn=CONFIG_URN,
            old_inputs=to_struct({"project": "a", "region": "x"}),
            news=to_struct({"project": "b", "region": "y"}),
        )
    )
    assert list(answer.replaces) == ["project"]
    assert sorted(answer.diffs) == ["project", "region"]


def test_an_emulator_that_is_gone_is_an_error_that_says_what_to_do(
    stub: provider_pb2_grpc.ResourceProviderStub,
) -> None:
    provider = GcpProvider({"TUNEFORM_ENDPOINT": "http://127.0.0.1:1"})
    provider.configure(provider_pb2.ConfigureRequest(args=to_struct({"project": "p1"})))
    with pytest.raises(Exception, match=r"127\.0\.0\.1:1 does not answer.*tuneform emulator start"):
        provider.invoke(provider_pb2.InvokeRequest(tok="gcp:organizations/getProject:getProject"))


def test_a_resource_before_the_configuration_is_refused(stub: provider_pb2_grpc.ResourceProviderStub) -> None:
    with pytest.raises(grpc.RpcError, match="was not configured"):
        stub.Invoke(provider_pb2.InvokeRequest(tok="gcp:organizations/getProject:getProject"))


def test_check_failures_name_the_property(plugin: Plugin) -> None:
    answer = plugin.stub.Check(
        provider_pb2.CheckRequest(
            urn="urn:pulumi:s::p::gcp:storage/bucket:Bucket::r", news=to_struct({"locaton": "eu"})
        )
    )
    assert {failure.property for failure in answer.failures} == {"locaton", "location"}


def test_cancel_is_accepted_at_any_time(stub: provider_pb2_grpc.ResourceProviderStub, plugin: Plugin) -> None:
    stub.Cancel(empty_pb2.Empty())
    assert plugin.invoke("gcp:organizations/getProject:getProject", {})["projectId"]
