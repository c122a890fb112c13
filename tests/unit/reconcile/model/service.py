"""What the service does by itself: requests that arrive late, jobs that run and end, lists that catch up."""

from __future__ import annotations

from collections.abc import Iterator

from tests.unit.reconcile.model.world import Job, JobState, Read, Reconciler, Settings, Step, World


def happenings(world: World, settings: Settings) -> Iterator[tuple[str, World]]:
    """Everything that can happen now without a reconciler."""
    for n in world.copies:
        copied = world._replace(fences=world.fences | {n}, copies=world.copies - {n})
        yield f"the late copy of attempt {n} is made", _woken(copied)
    for n in world.creates:
        arrived = arrive(world, settings, n)
        what = "is refused: its data is gone" if arrived is world else "makes a job"
        yield (
            f"the late create call of attempt {n} {what}",
            _woken(arrived._replace(creates=world.creates - {n})),
        )
    for place, job in enumerate(world.jobs):
        if not job.listed:
            yield (
                f"lists show the job of attempt {job.attempt}",
                _job(world, place, job._replace(listed=True)),
            )
        if job.state is JobState.PENDING:
            there = job.attempt in world.fences
            state = JobState.TRAINING if there else JobState.STARVED
            what = "reads its data and trains" if there else "finds no data and fails for free"
            yield (
                f"the job of attempt {job.attempt} {what}",
                _job(world, place, job._replace(state=state, paid=there)),
            )
        elif job.state is JobState.TRAINING:
            yield (
                f"the job of attempt {job.attempt} succeeds",
                _job(world, place, job._replace(state=JobState.SUCCEEDED)),
            )
            if world.failures:
                failed = _job(world, place, job._replace(state=JobState.FAILED))
                yield f"the job of attempt {job.attempt} fails", failed._replace(failures=world.failures - 1)


def arrive(world: World, settings: Settings, n: int) -> World:
    """A create call of attempt n arrives; the same world when it is refused because its data is gone."""
    there = n in world.fences
    now = settings.read is Read.AT_CREATE
    if now and not there:
        return world
    job = Job(n, JobState.TRAINING if now else JobState.PENDING, paid=now, listed=not settings.lag)
    return world._replace(jobs=tuple(sorted((*world.jobs, job))))


def cancel(world: World, n: int) -> Iterator[tuple[str, World]]:
    """A cancel call for the job of attempt n arrives; one that trains may succeed all the same."""
    for place, job in enumerate(world.jobs):
        if job.attempt == n and job.state.live:
            yield "", _job(world, place, job._replace(state=JobState.CANCELLED))
            if job.state is JobState.TRAINING:
                yield "loses to success", _job(world, place, job._replace(state=JobState.SUCCEEDED))
            return
    yield "comes after its end", world


def job_of(world: World, n: int) -> Job | None:
    """The job of attempt n, if one was made."""
    return next((job for job in world.jobs if job.attempt == n), None)


def _job(world: World, place: int, job: Job) -> World:
    return world._replace(jobs=(*world.jobs[:place], job, *world.jobs[place + 1 :]))


def _woken(world: World) -> World:
    """What arrived after everything was done is met by a later run."""
    *others, last = world.reconcilers
    if last.step is not Step.DONE:
        return world
    return world._replace(reconcilers=(*others, Reconciler(Step.LIST, patience=0)))
