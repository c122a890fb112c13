"""The calls of one project: every one goes through here."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from typing import Any, Literal, TypeVar

import google.auth
import requests
from google.api_core import exceptions
from google.api_core.client_info import ClientInfo
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import AuthorizedSession
from google.longrunning import operations_pb2
from google.protobuf import json_format
from google.protobuf.message import DecodeError

from tuneform.platforms.vertex.calls import transports
from tuneform.platforms.vertex.calls.background import Background, in_thread
from tuneform.platforms.vertex.calls.paces import Paces
from tuneform.platforms.vertex.calls.retry import DEADLINE, READ, Policy, Undecodable
from tuneform.platforms.vertex.calls.transports import Address, host
from tuneform.platforms.vertex.errors import Unfinished, remote
from tuneform.platforms.vertex.messages import Messages
from tuneform.reconcile.desired import Project

T = TypeVar("T")
T_client = TypeVar("T_client")
Transport = Literal["grpc", "rest"]

OPERATION_DEADLINE = 900.0
"""Seconds that an operation may take; Vertex deploys tuned adapters in minutes."""
REAL_PAUSES = (1.0, 10.0)
EMULATOR_PAUSES = (0.02, 1.0)
"""The first and the longest seconds between two looks at an operation."""
GRACE = 5.0
"""Seconds that a client has beyond the deadline to notice it, before it is left alone."""
SIDE_BY_SIDE = 8
"""Storage calls under way at once, for which requests keeps connections open."""

NO_ANSWER = frozenset({"cancel_tuning_job"})
"""Methods that answer google.protobuf.Empty, of which the clients make None."""

# Everything that the clients make of an answer that is not what it should be, seen with the emulator's
# `malformed` faults: JSON that is none, JSON that is no message, bytes that are no message.
_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, json_format.Error, DecodeError)


class Clients:
    """Google's clients for one project, sent to the real service, or to the emulator at `endpoint`.

    Vertex is spoken to over gRPC, or over REST when `transport` says so or the emulator has no gRPC port; Cloud
    Storage has no choice. The real service gets Application Default Credentials. `run` is for callers that wait; all
    else are coroutines for it. `deadline` is for one try of one call, in seconds. `rate` is how many calls may go
    in a minute, None for any number; `paces` say so for a client that calls several projects.
    """

    def __init__(
        self,
        project: Project,
        endpoint: str | None,
        *,
        transport: Transport = "grpc",
        holder: str = "",
        deadline: float = DEADLINE,
        rate: int | None = None,
        paces: Paces | None = None,
    ) -> None:
        self.project = project
        self.endpoint = endpoint
        self.deadline = deadline
        self.messages = Messages(project.project_id)
        self.agent = transports.agent(holder)
        self._transport = transport
        self._paces = paces or Paces(rate, None)
        self._background = Background()
        self._made: dict[tuple[str, ...], asyncio.Future[Any]] = {}
        self._slots = asyncio.Semaphore(SIDE_BY_SIDE)

    def run(self, what: str, coroutine: Coroutine[Any, Any, T]) -> T:
        """Wait for a coroutine; `what` says in errors what was tried.

        Raises:
            RemoteError: what a failed call means (`errors.meaning`).
            MachineError: there are no credentials.
        """
        with remote(what, self.endpoint):
            return self._background.run(coroutine)

    def close(self) -> None:
        """Close the connections; happens by itself when nobody holds this object any more."""
        self._background.close()

    async def call(self, service: str, method: str, request: Any, *, at: str, policy: Policy = READ) -> Any:
        """Send a request message to the service in the location of the resource `at`.

        The answer is the bare protobuf message (of a list its one page, of an operation its first state); None where
        the method answers nothing. Raises what the clients raise, and `Undecodable`.
        """
        client, rest = await self._client(service, at)
        send = getattr(client, method)
        extra = {"metadata": [("user-agent", self.agent)]} if rest else {}

        async def once() -> Any:
            await self._paces.keep(project_of(at))
            arguments = {"request": request, "retry": None, "timeout": self.deadline, **extra}
            sent = in_thread(lambda: _bare(send(**arguments))) if rest else _awaited(send(**arguments))
            answer = await self._bounded(sent)
            if answer is None and method not in NO_ANSWER:
                raise Undecodable("grpc.aio gives nothing for bytes that are no message")
            return answer

        return await policy.patiently(once)

    async def pages(self, service: str, method: str, request: Any, *, at: str) -> AsyncIterator[Any]:
        """The pages of a list, as bare messages."""
        while True:
            page = await self.call(service, method, request, at=at)
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def operation(
        self, service: str, method: str, request: Any, *, at: str, policy: Policy = READ
    ) -> Any:
        """Send a request that starts an operation, and wait for its end: the `Any` message with its result.

        Raises what the operation ended with as the clients would have, and `Unfinished`.
        """
        state = await self.call(service, method, request, at=at, policy=policy)
        look = operations_pb2.GetOperationRequest(name=state.name)
        pause, longest = EMULATOR_PAUSES if self.endpoint else REAL_PAUSES
        until = time.monotonic() + OPERATION_DEADLINE
        while not state.done:
            if time.monotonic() > until:
                raise Unfinished(f"{state.name} is still under way after {OPERATION_DEADLINE:.0f} seconds")
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, longest)
            state = await self.call(service, "get_operation", look, at=at)
        if state.HasField("error"):
            raise exceptions.from_grpc_status(state.error.code, state.error.message)
        return state.response

    async def storage(
        self,
        function: Callable[[Any], T],
        *,
        policy: Policy = READ,
        deadline: float | None = None,
        project: str = "",
    ) -> T:
        """What a function does with the `google.cloud.storage.Client`, in a thread: one call, to a project if named.

        The function passes `timeout=clients.deadline, retry=None` to whatever it calls.
        """
        client = await self._once(("storage",), self._make_storage)
        from google.cloud.storage.exceptions import DataCorruption  # noqa: PLC0415 (it is there by now)

        def run() -> T:
            try:
                return function(client)
            except DataCorruption as damaged:  # the content is not what its checksum says
                raise Undecodable(str(damaged).partition(":")[0]) from damaged

        async def once() -> T:
            await self._paces.keep(project)
            async with self._slots:
                return await self._bounded(in_thread(run), deadline)

        return await policy.patiently(once)

    async def beta(self, name: str) -> dict[str, Any]:
        """A resource as v1beta1 shows it over REST, in JSON; for fields that the generated messages do not have."""

        def get(session: requests.Session, url: str, **how: Any) -> requests.Response:
            return session.get(url, **how)

        return await self._beta(name, get)

    async def beta_create(self, collection: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create a resource over REST, in one call, with fields that the generated messages do not have."""

        def post(session: requests.Session, url: str, **how: Any) -> requests.Response:
            return session.post(url, json=body, **how)

        return await self._beta(collection, post)

    async def _beta(self, name: str, send: Callable[..., requests.Response]) -> dict[str, Any]:
        session = await self._once(("session",), self._make_session)
        base = self.endpoint or f"https://{host(location_of(name))}"
        headers = {"user-agent": self.agent}

        def once() -> dict[str, Any]:
            response = send(session, f"{base}/v1beta1/{name}", timeout=self.deadline, headers=headers)
            if not response.ok:
                raise exceptions.from_http_response(response)
            found: dict[str, Any] = response.json()
            if not found.get("name"):
                raise Undecodable(f"{name}: a resource without a name")
            return found

        await self._paces.keep(project_of(name))
        return await self._bounded(in_thread(once))

    async def rest(
        self, key: str, make: Callable[[Any], T_client], send: Callable[[T_client], T], *, project: str
    ) -> T:
        """What a client of Google's that speaks REST answers, in a thread; it is made once from its credentials.

        Of the emulator the credentials are those of nobody. `send` passes `retry=None, timeout=clients.deadline`.
        """

        async def made() -> T_client:
            local = self.endpoint is not None
            client = make(
                AnonymousCredentials() if local else await self._once(("credentials",), _credentials)
            )
            self._background.at_end(client.transport.close)  # type: ignore[attr-defined]
            return client

        client = await self._once(("rest", key), made)

        async def once() -> T:
            await self._paces.keep(project)
            return await self._bounded(in_thread(lambda: send(client)))

        return await READ.patiently(once)

    async def _bounded(self, sent: Awaitable[T], deadline: float | None = None) -> T:
        """One try, which ends by itself at its deadline, or is left alone soon after it."""
        try:
            async with asyncio.timeout((deadline or self.deadline) + GRACE):
                return await sent
        except requests.RequestException:
            raise  # some of them are ValueErrors too
        except _UNREADABLE as error:
            raise Undecodable(f"{type(error).__name__}: {error}") from error

    async def _client(self, service: str, at: str) -> tuple[Any, bool]:
        address = await self._address(location_of(at))
        client = await self._once(("client", service, address.address), lambda: self._make(service, address))
        return client, not address.grpc

    async def _address(self, location: str) -> Address:
        if self.endpoint is None:
            return Address(host(location), grpc=self._transport == "grpc")
        if self._transport == "grpc":
            found: str = await self._once(("grpc",), self._find_grpc)
            if found:
                return Address(found, grpc=True, local=True)
        return Address(self.endpoint, grpc=False, local=True)

    async def _find_grpc(self) -> str:
        """The emulator's gRPC port, empty when it has none."""
        if named := os.environ.get("TUNEFORM_GRPC_ENDPOINT", ""):
            return named

        def ask() -> str:
            answer = requests.get(f"{self.endpoint}/_emulator/health", timeout=self.deadline)
            return str(answer.json().get("grpc", "")) if answer.ok else ""

        async def once() -> str:
            return await self._bounded(in_thread(ask))

        return await READ.patiently(once)

    async def _make(self, service: str, address: Address) -> Any:
        credentials = None if address.local else await self._once(("credentials",), _credentials)
        made = transports.client(service, address, credentials, self.agent)
        self._background.at_end(made.transport.close)
        return made

    async def _make_storage(self) -> Any:
        from google.cloud import storage  # noqa: PLC0415 (half a second that `tuneform check` need not pay)

        local = self.endpoint is not None
        made = storage.Client(
            project=self.project.project_id,
            credentials=AnonymousCredentials() if local else await self._once(("credentials",), _credentials),
            client_options={"api_endpoint": self.endpoint} if local else None,
            client_info=ClientInfo(user_agent=self.agent),
        )
        made._http.trust_env = not local  # nor is a proxy looked for with every call
        # It would ask for each bucket that it meets, for traces that nobody takes (google-cloud-storage 3.17).
        made._bucket_metadata_cache = None
        self._background.at_end(made.close)
        return made

    async def _make_session(self) -> requests.Session:
        if self.endpoint is not None:
            made = requests.Session()
            made.trust_env = False  # a proxy can have no part in calls to this machine
        else:
            made = AuthorizedSession(await self._once(("credentials",), _credentials))
        self._background.at_end(made.close)
        return made

    async def _once(self, key: tuple[str, ...], make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Something that is made on first use; those who ask meanwhile wait for it, and a failure is not kept."""
        if key not in self._made:
            self._made[key] = asyncio.ensure_future(make())
        made = self._made[key]
        try:
            result: T = await asyncio.shield(made)
        except BaseException:
            if made.done():
                self._made.pop(key, None)
            raise
        return result


def readable(read: Callable[[], T]) -> T:
    """What is read from an answer; raises `Undecodable` where it is not what it should be."""
    try:
        return read()
    except _UNREADABLE as error:
        raise Undecodable(f"{type(error).__name__}: {error}") from error


async def _credentials() -> Any:
    def find() -> Any:
        return google.auth.default(scopes=transports.SCOPES)[0]

    return await in_thread(find)


async def _awaited(answer: Awaitable[Any]) -> Any:
    found = await answer
    if hasattr(found, "pages"):
        async for page in found.pages:  # the first one is here already
            return _bare(page)
    return _bare(found)


def _bare(answer: Any) -> Any:
    """The protobuf message inside what a client returns."""
    if hasattr(answer, "pages"):
        answer = next(iter(answer.pages))
    if hasattr(answer, "operation"):
        answer = answer.operation
    bare = answer if answer is None or hasattr(answer, "DESCRIPTOR") else type(answer).pb(answer)
    if bare is not None and "name" in bare.DESCRIPTOR.fields_by_name and not bare.name:
        # JSON that is no object becomes an empty message; every resource and operation has a name.
        raise Undecodable(f"a {bare.DESCRIPTOR.name} without a name")
    return bare


def location_of(resource: str) -> str:
    """The location in `projects/P/locations/L/…`."""
    return resource.split("/")[3]


def project_of(resource: str) -> str:
    """The project in `projects/P/…`, by its id or its number."""
    return resource.split("/")[1]
