"""The levers of the test's emulator, and calls that a test sends by hand."""

from __future__ import annotations

import json
import socket
from urllib.parse import urlsplit

import pytest
from tests.faults.control import Control
from tests.functional.emulators import Emulator


@pytest.fixture
def control(emulator: Emulator) -> Control:
    """Faults and barriers of the test's emulator."""
    return Control(emulator.endpoint)


class Wire:
    """A client that is a socket and nothing else: it can go away at any moment."""

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        assert parts.hostname
        assert parts.port
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=30)
        self.host = parts.netloc

    def send(self, method: str, path: str, body: object, agent: str = "") -> None:
        """Sends a whole request and does not wait for the answer."""
        text = json.dumps(body)
        head = (
            f"{method} {path} HTTP/1.1",
            f"Host: {self.host}",
            f"User-Agent: {agent}",
            f"Content-Length: {len(text)}",
        )
        self.socket.sendall(("\r\n".join(head) + "\r\n\r\n" + text).encode())

    def received(self) -> bytes:
        """What comes back, up to the end of the connection."""
        parts: list[bytes] = []
        while part := self.socket.recv(65536):
            parts.append(part)
        return b"".join(parts)

    def close(self) -> None:
        """Goes away."""
        self.socket.close()
