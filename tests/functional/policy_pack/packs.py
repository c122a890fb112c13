"""Policy packs as the engine runs them: an environment of their own, and the SDK's server in a process of its own."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from tuneform.entrypoints.provider.wire import encode
from tuneform.policy.shapes import Resource

ROOT = Path(__file__).parents[3]
REQUIREMENTS = ROOT / "infra/tuneform/entrypoints/doors/pack/requirements.txt"


def environment() -> Path:
    """The Python of an environment with the pack's own requirements, made once for each version of them."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    folder = (
        ROOT / ".tuneform" / "policy-pack" / f"{digest}-{sys.version_info.major}.{sys.version_info.minor}"
    )
    folder.mkdir(parents=True, exist_ok=True)
    python, done = folder / "bin" / "python", folder / "done"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # workers of one run want it at the same time
        if not done.exists():
            _run(sys.executable, "-m", "venv", str(folder))
            install = (
                "install",
                "--quiet",
                "--no-compile",
                "--disable-pip-version-check",
                "--require-hashes",
            )
            _run(str(python), "-m", "pip", *install, "-r", str(REQUIREMENTS))
            done.touch()
    return python


def _run(*command: str) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


class Analyzer:
    """The engine's side of the protocol."""

    def __init__(self, stub: analyzer_pb2_grpc.AnalyzerStub) -> None:
        self._stub = stub

    def info(self) -> analyzer_pb2.AnalyzerInfo:
        found: analyzer_pb2.AnalyzerInfo = self._stub.GetAnalyzerInfo(empty_pb2.Empty())
        return found

    def resource(self, resource: Resource) -> analyzer_pb2.AnalyzeResponse:
        request = analyzer_pb2.AnalyzeRequest(
            type=resource.token,
            name=resource.name,
            urn=urn(resource),
            properties=encode(resource.inputs),
        )
        answer: analyzer_pb2.AnalyzeResponse = self._stub.Analyze(request)
        return answer

    def stack(self, resources: Sequence[Resource]) -> analyzer_pb2.AnalyzeResponse:
        asked = [
            analyzer_pb2.AnalyzerResource(
                type=one.token, name=one.name, urn=urn(one), properties=encode(one.inputs)
            )
            for one in resources
        ]
        answer: analyzer_pb2.AnalyzeResponse = self._stub.AnalyzeStack(
            analyzer_pb2.AnalyzeStackRequest(resources=asked)
        )
        return answer


def urn(resource: Resource) -> str:
    return f"urn:pulumi:test::tuneform::{resource.token}::{resource.name}"


@contextmanager
def running(pack: Path) -> Iterator[Analyzer]:
    """A pack, started as `pulumi-analyzer-policy-python` starts it, and asked over gRPC."""
    with subprocess.Popen(
        [environment(), "-u", "-m", "pulumi.policy", "127.0.0.1:9", "."],
        cwd=pack,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={},
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            port = process.stdout.readline().strip()
            assert port.isdigit(), process.stderr.read()
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield Analyzer(analyzer_pb2_grpc.AnalyzerStub(channel))
        finally:
            process.kill()


def said(answer: Any) -> Mapping[str, list[str]]:
    """The texts of an answer by policy, without the description before them."""
    found: dict[str, list[str]] = {}
    for one in answer.diagnostics:
        found.setdefault(one.policyName, []).append(one.message.partition("\n")[2])
    return found
