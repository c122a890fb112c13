"""Calls to Google's REST, as the emulator serves it."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import requests

CONNECT_SECONDS = 5.0
READ_SECONDS = 60.0
OPERATION_SECONDS = 120.0
OPERATION_POLL_SECONDS = 0.2
CONFLICT = 409
NOT_FOUND = 404


class PluginError(Exception):
    """A refusal to be shown to the user as it is."""


class RestError(PluginError):
    """The API refused a call. `status` is the HTTP status, `message` the API's own words."""

    def __init__(self, status: int, message: str, call: str) -> None:
        super().__init__(f"googleapi: Error {status}: {message} ({call})")
        self.status = status
        self.message = message


def loopback_endpoint(value: str) -> str:
    """The endpoint without a trailing slash; raises `PluginError` when it is missing or leaves this machine.

    The stand-in sends no credentials and must never reach a real service, so anything but loopback is refused.
    """
    remedy = "start it with `tuneform emulator start` and take the address from `tuneform emulator env`"
    if not value:
        raise PluginError(
            "TUNEFORM_ENDPOINT is not set: the emulator's stand-in for the gcp plugin works against the local "
            f"emulator only; {remedy}. For real Google Cloud take the stand-in off PATH."
        )
    parts = urlsplit(value)
    if parts.scheme != "http" or not parts.hostname or parts.username is not None or parts.path.strip("/"):
        raise PluginError(f"TUNEFORM_ENDPOINT '{value}' is not of the form http://127.0.0.1:PORT; {remedy}.")
    if not _loopback(parts.hostname):
        raise PluginError(
            f"TUNEFORM_ENDPOINT '{value}' is not on this machine: the emulator's stand-in for the gcp plugin speaks "
            f"to 127.0.0.0/8, localhost and ::1 only; {remedy}."
        )
    return value.rstrip("/")


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def segment(name: str) -> str:
    """One path segment; slashes in it are encoded."""
    return quote(name, safe="@")


def resource_path(name: str) -> str:
    """A full resource name such as `projects/p/serviceAccounts/e` as a path."""
    return quote(name, safe="/@")


class Rest:
    """A client for one endpoint, usable from several threads."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._local = threading.local()
        self._cancelled = threading.Event()
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}

    def exclusive(self, name: str) -> threading.Lock:
        """The lock of a thing that is changed by read-modify-write."""
        with self._guard:
            return self._locks.setdefault(name, threading.Lock())

    def cancel(self) -> None:
        """Gives up waiting for operations."""
        self._cancelled.set()

    def call(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Any = None
    ) -> dict[str, Any]:
        """The JSON answer, `{}` when there is none; raises `RestError`, or `PluginError` when nothing answers."""
        try:
            response = self._session().request(
                method,
                f"{self.endpoint}/{path}",
                params=query,
                json=body,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise PluginError(
                f"the emulator at {self.endpoint} does not answer {method} {path} ({type(error).__name__}): "
                "start it with `tuneform emulator start`"
            ) from error
        if not response.ok:
            raise RestError(response.status_code, _message(response), f"{method} {path}")
        if not response.content:
            return {}
        answer: dict[str, Any] = response.json()
        return answer

    def find(self, path: str, *, query: Mapping[str, str] | None = None) -> dict[str, Any] | None:
        """What GET answers, None when it is not there; raises as `call`."""
        try:
            return self.call("GET", path, query=query)
        except RestError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    def finish(self, operation: Mapping[str, Any], *, version: str) -> dict[str, Any]:
        """The response of a long-running operation, waited for; raises `PluginError` with the operation's error."""
        waited = 0.0
        while not operation.get("done"):
            if waited >= OPERATION_SECONDS or self._cancelled.wait(OPERATION_POLL_SECONDS):
                raise PluginError(f"gave up waiting for operation {operation.get('name')}")
            waited += OPERATION_POLL_SECONDS
            operation = self.call("GET", f"{version}/{resource_path(str(operation['name']))}")
        if "error" in operation:
            raise PluginError(
                f"operation {operation.get('name')} failed: {operation['error'].get('message')}"
            )
        response: dict[str, Any] = operation.get("response", {})
        return response

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            # A proxy from the environment must not see, and cannot serve, calls to this machine.
            session.trust_env = False
            self._local.session = session
        return session


def _message(response: requests.Response) -> str:
    try:
        message: str = response.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        return response.text[:500] or response.reason
    return message
