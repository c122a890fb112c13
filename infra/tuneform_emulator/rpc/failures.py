"""From a refusal in JSON to a gRPC status with google.rpc details."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import grpc
import orjson
from google.protobuf import json_format

# Importing the details makes them known, so that they can be put into a status.
from google.rpc import error_details_pb2, status_pb2

from tuneform_emulator.wire import Response

RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"
DETAILS_KEY = "grpc-status-details-bin"
MESSAGE_LIMIT = 1_000
DETAILS_LIMIT = 4_096
"""What of a status fits beside everything else into the 8 KiB of trailers that gRPC clients take; the message is
percent-encoded there, which can triple it and more."""

BY_HTTP_STATUS = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.ABORTED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    499: grpc.StatusCode.CANCELLED,
    500: grpc.StatusCode.INTERNAL,
    501: grpc.StatusCode.UNIMPLEMENTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}
"""google/rpc/code.proto, for answers that carry no canonical name."""


@dataclass(frozen=True)
class Failure:
    """How a call ends that is refused; `details` is a serialized google.rpc.Status, or empty."""

    code: grpc.StatusCode
    message: str
    details: bytes = b""


def failure(response: Response) -> Failure:
    """The status of a response whose HTTP status is not a success."""
    error = _error(response)
    message = str(error.get("message", f"HTTP status {response.status}"))
    short = message if len(message) <= MESSAGE_LIMIT else message[: MESSAGE_LIMIT - 1] + "…"
    code = _code(error.get("status"), response.status)
    details = _details(error, response.headers)
    if not details:
        return Failure(code, short)
    number: int = code.value[0]
    status = json_format.ParseDict(
        {"code": number, "message": short, "details": details}, status_pb2.Status()
    )
    packed = status.SerializeToString()
    return Failure(code, short, packed if len(packed) <= DETAILS_LIMIT else b"")


def _error(response: Response) -> Mapping[str, Any]:
    try:
        body = orjson.loads(response.content())
    except orjson.JSONDecodeError:
        return {}
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _code(name: object, http_status: int) -> grpc.StatusCode:
    for code in grpc.StatusCode:
        if code.name == name:
            return code
    return BY_HTTP_STATUS.get(http_status, grpc.StatusCode.UNKNOWN)


def _details(error: Mapping[str, Any], headers: Mapping[str, str]) -> list[dict[str, Any]]:
    """The details of kinds that gRPC knows; HTTP's Retry-After becomes what says the same here."""
    known = {
        f"type.googleapis.com/{message.full_name}"
        for message in error_details_pb2.DESCRIPTOR.message_types_by_name.values()
    }
    found = [item for item in error.get("details", ()) if item.get("@type") in known]
    wait = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    if wait.isdigit() and not any(item["@type"] == RETRY_INFO for item in found):
        found.append({"@type": RETRY_INFO, "retryDelay": f"{wait}s"})
    return found
