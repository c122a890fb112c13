"""All projects of an audit, some side by side, each part by part: the project itself, its buckets, its locations.

What is held at once is, for each project under way, a page of a list and the names and labels of one location's models;
beside that, what was found. A part that was read to its end is in the journal, and is not read again. What cannot be
read is part of what was found, unless it may pass by itself: then the part is left for the next run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from google.api_core import exceptions

from tuneform.capabilities import is_region
from tuneform.capabilities.prices import PriceTable
from tuneform.entrypoints.cli.auditing.journal import Journal
from tuneform.entrypoints.cli.auditing.judging import Gathered
from tuneform.entrypoints.cli.auditing.targets import Targets
from tuneform.entrypoints.doors import live
from tuneform.entrypoints.doors.live import Around, Kept, Models, Sight
from tuneform.errors import RemoteError, Terminal
from tuneform.platforms.vertex.auditing import Contents, Estate
from tuneform.platforms.vertex.errors import meaning
from tuneform.platforms.vertex.jobs import API_DISABLED
from tuneform.policy import Judge
from tuneform.reconcile.estate import ProjectSeen
from tuneform.reconcile.live import bare
from tuneform.review.audit.data import Part, Unread

SIDE_BY_SIDE = 8
"""Projects that are read at once."""
PROJECT, BUCKETS = "project", "buckets"
"""Parts of a project beside its locations."""


@dataclass(frozen=True)
class Found:
    """A project that is to be read. `seen` is what a list of projects said of it; None where it was named."""

    project: str
    said: tuple[str, ...] = ()
    seen: ProjectSeen | None = None


@dataclass
class Reading:
    """One audit under way. `written` are the values of Project documents, by Google's id and location."""

    estate: Estate
    contents: Contents
    endpoint: str | None
    judge: Judge
    prices: PriceTable
    targets: Targets
    journal: Journal
    written: Mapping[tuple[str, str], Mapping[str, Any]]
    told: Callable[[str], None] = lambda _: None
    complete: bool = field(default=True, init=False)

    async def run(self) -> tuple[Part, ...]:
        """Every part, in an order that does not hang on who was first.

        Raises what no project can help: there are no credentials.
        """
        waiting: asyncio.Queue[Found | None] = asyncio.Queue(maxsize=SIDE_BY_SIDE)
        parts: list[Part] = []

        async def give() -> None:
            async for one in self._projects(parts):
                await waiting.put(one)
            for _ in range(SIDE_BY_SIDE):
                await waiting.put(None)

        async def take() -> None:
            while (found := await waiting.get()) is not None:
                parts.extend(await self._read(found))
                self.told(found.project)

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(give())
                for _ in range(SIDE_BY_SIDE):
                    group.create_task(take())
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from failed
        if self.complete:
            self.journal.end()
        return tuple(sorted(parts, key=lambda part: (part.project, part.name)))

    async def _projects(self, parts: list[Part]) -> AsyncIterator[Found]:
        """The projects that were named, or those below the folder, folder by folder."""
        for target in self.targets.named:
            yield Found(target.project, target.locations)
        waiting = [self.targets.parent] if self.targets.parent else []
        given: set[str] = set()
        while waiting:
            folder = waiting.pop(0)
            entry = await self._folder(folder)
            part = Part.of({**_EMPTY, "name": folder, "unread": entry["unread"]})
            parts.append(part)
            waiting += entry["folders"]
            for project, labels in entry["projects"].items():
                if project not in given:  # it may have been moved while this went on
                    given.add(project)
                    yield Found(project, seen=ProjectSeen(project, labels))

    async def _folder(self, folder: str) -> Mapping[str, Any]:
        """The projects and folders right below one."""
        if kept := self.journal.entries.get(("", folder)):
            return kept
        projects: dict[str, dict[str, str]] = {}
        folders: list[str] = []
        unread: list[Unread] = []

        async def read() -> None:
            projects.update({one.project_id: dict(one.labels) async for one in self.estate.projects(folder)})
            folders.extend([name async for name in self.estate.folders(folder)])

        lasting = await self.tried("", f"the projects and folders below {folder}", read, unread)
        entry = {"projects": projects, "folders": folders, "unread": [vars(one) for one in unread]}
        if lasting:
            self.journal.keep("", folder, entry)
        return entry

    async def _read(self, found: Found) -> list[Part]:
        first, around = await self._project(found)
        if around is None:
            return [first]
        parts = [first, await self._part(around, BUCKETS, self._buckets)]
        for location in self.targets.locations(found.project, found.said):
            if any(one.disabled for part in parts for one in part.unread if part.name != BUCKETS):
                break  # an API is off in all locations or in none

            async def read(seen: ProjectSeen, gathered: Gathered, location: str = location) -> bool:
                return await _Location(self, seen, location, gathered).read()

            parts.append(await self._part(around, location, read))
        return parts

    async def _project(self, found: Found) -> tuple[Part, ProjectSeen | None]:
        """What is known of the project itself; None where nothing in it can be read."""
        entry = self.journal.entries.get((found.project, PROJECT))
        if entry is None:
            gathered = Gathered(found.project, PROJECT, self.judge)
            seen: list[ProjectSeen] = []

            async def read() -> None:
                if found.seen is None:
                    seen.append(await self.estate.project(found.project))
                else:
                    seen.append(await self.estate.with_policy(found.seen))

            lasting = await self.tried(found.project, "the project", read, gathered.unread)
            entry = {"part": gathered.part().as_plain(), "seen": _plain(seen[0]) if seen else None}
            if lasting:
                self.journal.keep(found.project, PROJECT, entry)
        return Part.of(entry["part"]), _seen(entry["seen"]) if entry["seen"] else None

    async def _part(
        self, around: ProjectSeen, name: str, read: Callable[[ProjectSeen, Gathered], Awaitable[bool]]
    ) -> Part:
        """One part, from the journal or live. `read` says whether what it found will be the same in the next run."""
        if kept := self.journal.entries.get((around.project_id, name)):
            return Part.of(kept)
        gathered = Gathered(around.project_id, name, self.judge)
        lasting = await read(around, gathered)
        part = gathered.part()
        if lasting:
            self.journal.keep(around.project_id, name, part.as_plain())
        return part

    async def _buckets(self, seen: ProjectSeen, gathered: Gathered) -> bool:
        around = self.around(seen, "")
        keys: dict[str, Sight] = {}

        async def read() -> None:
            async for bucket in self.contents.buckets(seen.project_id):
                gathered.seen["buckets"] += 1
                sight = live.bucket_sight(bucket, around)
                gathered.take(sight, seen)
                if bucket.key:
                    keys.setdefault(bucket.key, sight)

        lasting = await self.tried(seen.project_id, BUCKETS, read, gathered.unread)
        for key, user in sorted(keys.items()):
            gathered.take(live.key_sight(key, user, around), seen)
        return lasting

    def around(self, seen: ProjectSeen, location: str) -> Around:
        """The project as rules see it in a location; anywhere, where that is empty."""
        written = self.written.get((seen.project_id, location)) or self.written.get((seen.project_id, ""), {})
        return Around(seen, self.prices, written)

    async def tried(
        self, project: str, what: str, read: Callable[[], Awaitable[None]], unread: list[Unread]
    ) -> bool:
        """Read something; what cannot be read is noted. False where that may be otherwise in the next run."""
        try:
            await read()
        except Exception as error:
            meant = error if isinstance(error, RemoteError) else meaning(error, what, self.endpoint)
            if not isinstance(meant, RemoteError):
                raise meant or error from error
            why = meant.message.removeprefix(f"{what}: ")
            if isinstance(error, exceptions.Forbidden) and error.reason == API_DISABLED:
                unread.append(Unread(project, what, why, disabled=True))
                return True
            unread.append(Unread(project, what, why, _remedy(meant)))
            if isinstance(meant, Terminal):
                return True
            self.complete = False
            return False
        return True


@dataclass
class _Location:
    """One location of a project while it is read."""

    reading: Reading
    seen: ProjectSeen
    location: str
    gathered: Gathered
    models: Models = field(default_factory=dict)
    keys: dict[str, Sight] = field(default_factory=dict)
    accounts: dict[str, Sight] = field(default_factory=dict)
    oldest: datetime | None = None

    async def read(self) -> bool:
        """Models first, since jobs name them; then jobs, since they say which models were tuned; then endpoints."""
        steps = [("models", self._models), ("jobs", self._jobs), ("endpoints", self._endpoints)]
        lasting = True
        for what, step in steps:
            if what == "jobs" and not is_region(self.location):
                continue  # a multi-region serves, and tunes nothing
            lasting = await self.reading.tried(
                self.seen.project_id, f"{what} in {self.location}", step, self.gathered.unread
            )
            if self.gathered.unread and self.gathered.unread[-1].disabled:
                self.gathered.unread[-1] = replace(self.gathered.unread[-1], what="Vertex AI")
                return lasting
            if what == "jobs":
                self._judge_models()
            if not lasting:
                break  # all of it is read again, and who does not answer now is not waited for again
        self._judge_what_they_use()
        return lasting

    async def _models(self) -> None:
        async for model in self.reading.contents.models(self.seen.project_id, self.location):
            self.models[bare(model.model.name)] = Kept(model)

    async def _jobs(self) -> None:
        async for one in self.reading.contents.jobs(self.seen.project_id, self.location):
            self.gathered.seen["jobs"] += 1
            job = one.job
            self._note(job.created)
            model = self.models.get(bare(job.model)) if job.model else None
            if model is not None:
                self.models[bare(job.model)] = replace(model, job=live.job_of_model(job))
            sight = live.job_sight(one, self.models, self._around, self.location)
            if sight is None:
                continue
            self._take(sight)
            if job.kms_key:
                self.keys[job.kms_key] = sight  # the newest come first, so that the oldest one stays
            if job.service_account:
                self.accounts[job.service_account] = sight

    async def _endpoints(self) -> None:
        if not is_region(self.location):
            self._judge_models()
        async for one in self.reading.contents.endpoints(self.seen.project_id, self.location):
            self.gathered.seen["endpoints"] += 1
            sight = live.endpoint_sight(one, self.models, self._around, self.location)
            if sight is not None:
                self._note(one.created)
                self._take(sight)

    def _judge_models(self) -> None:
        for kept in self.models.values():
            self.gathered.seen["models"] += 1
            if kept.seen.tuned or kept.job is not None:
                self._note(kept.seen.created)
                self._take(live.model_sight(kept, self._around, self.location))

    def _judge_what_they_use(self) -> None:
        for key, user in sorted(self.keys.items()):
            self._take(live.key_sight(key, user, self._around))
        for account, user in sorted(self.accounts.items()):
            self._take(live.account_sight(account, user, self._around))
        if self.oldest is not None:
            self._take(live.project_sight(self.location, self.oldest, self._around))

    def _take(self, sight: Sight) -> None:
        self.gathered.take(sight, self.seen)

    def _note(self, created: datetime | None) -> None:
        if created is not None:
            self.oldest = min(self.oldest or created, created)

    @property
    def _around(self) -> Around:
        return self.reading.around(self.seen, self.location)


_EMPTY: Mapping[str, Any] = {
    "project": "",
    "name": "",
    "seen": {},
    "breaches": (),
    "unjudged": (),
    "unread": (),
}


def _remedy(error: RemoteError) -> str:
    """What to do about what could not be read. Of a refused read the roles are named."""
    if isinstance(error, Terminal) and error.remedy.startswith("grant"):
        return "grant the roles of docs/audit.md to the account that runs this, or take the project out"
    return error.remedy


def _plain(seen: ProjectSeen) -> dict[str, Any]:
    return {**vars(seen), "labels": dict(seen.labels)}


def _seen(plain: Mapping[str, Any]) -> ProjectSeen:
    owners, roles = plain["owners"], plain["roles"]
    return ProjectSeen(
        plain["project_id"],
        plain["labels"],
        None if owners is None else tuple(owners),
        None if roles is None else {account: tuple(held) for account, held in roles.items()},
    )
