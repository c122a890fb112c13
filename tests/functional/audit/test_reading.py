"""How much is held at once, and that every call keeps to the pace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from tests.functional.audit.seeding import Seeds
from tests.functional.emulators import Emulator
from tests.functional.platforms.kit import PROJECT

from tuneform.platforms.vertex.auditing import Contents, Estate
from tuneform.platforms.vertex.auditing.contents import PAGE
from tuneform.platforms.vertex.calls.paces import Paces
from tuneform.platforms.vertex.clients import Clients


class Counted(Paces):
    """Lets everything go, and notes for which project."""

    def __init__(self) -> None:
        super().__init__(None, None)
        self.kept: list[str] = []

    async def keep(self, project: str) -> None:
        self.kept.append(project)
        await super().keep(project)


def calls(emulator: Emulator) -> int:
    return sum(count for route, count in emulator.calls().items() if "/_emulator/" not in route)


def test_a_list_is_read_page_by_page_as_far_as_it_is_taken(emulator: Emulator) -> None:
    seeds = Seeds(emulator.world.store)
    for _ in range(2 * PAGE + 1):
        seeds.job("acme-prod")
    clients = Clients(PROJECT, emulator.endpoint)
    counts = []

    async def some() -> None:
        taken = 0
        async for _ in Contents(clients).jobs("acme-prod", "us-central1"):
            taken += 1
            if taken in (1, PAGE, PAGE + 1, 2 * PAGE + 1):
                counts.append(await asyncio.to_thread(calls, emulator))

    clients.run("reading", some())
    clients.close()
    assert counts == [1, 1, 2, 3]


def test_every_call_of_an_audit_keeps_to_the_pace_of_its_project(emulator: Emulator) -> None:
    seeds = Seeds(emulator.world.store)
    seeds.job(
        "acme-prod", supervisedTuningSpec={"trainingDatasetUri": ""}
    )  # as preference tuning shows itself
    seeds.model("acme-prod")
    seeds.bucket("acme-prod", "acme-open", closed=False, everybody=True)
    paces = Counted()
    clients = Clients(PROJECT, emulator.endpoint, paces=paces)
    contents, estate = Contents(clients), Estate(clients)

    async def everything() -> None:
        await estate.project("acme-prod")
        lists: list[AsyncIterator[Any]] = [
            contents.buckets("acme-prod"),
            *(
                read("acme-prod", "us-central1")
                for read in (contents.models, contents.jobs, contents.endpoints)
            ),
            estate.projects("organizations/1"),
            estate.folders("organizations/1"),
        ]
        for found in lists:
            async for _ in found:
                pass

    clients.run("reading", everything())
    clients.close()
    made = calls(emulator)
    assert len(paces.kept) == made, emulator.calls()
    numbered = [project for project in paces.kept if project]
    assert len(numbered) == made - 2, "lists of folders and projects are of no project"
