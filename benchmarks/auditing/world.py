"""Many projects for an audit: so many jobs in each, with the models and endpoints of those that succeeded, and buckets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.functional.audit.seeding import Seeds

from tuneform_emulator.store import Store

LOCATIONS = ("us-central1", "europe-west4")
SUCCEEDED = 5
"""One job in so many runs; the others succeeded."""
POLICIES = """\
apiVersion: tuneform.dev/v1
kind: Policy
metadata: {name: house}
spec:
  rules:
    - {name: key, builtin: cmek-required}
    - {name: keys, builtin: key-placement, params: {projects: [keys-prod], locations: [us-central1, europe-west4]}}
    - {name: regions, builtin: regions, params: {locations: [us-central1, europe-west4]}}
    - {name: models, builtin: base-models, params: {models: [gemini-2.5-flash]}}
    - {name: parents, builtin: reviewed-parents}
    - {name: epochs, builtin: max-epochs, params: {most: 4}}
    - {name: tokens, builtin: max-tokens, params: {most: 5000000}}
    - {name: labels, builtin: required-labels, params: {labels: [team]}}
    - {name: validation, builtin: validation-required, enforcement: warn}
    - {name: accounts, builtin: dedicated-service-account, enforcement: audit}
    - {name: uniform, builtin: uniform-bucket-access}
    - {name: never-public, builtin: public-access-prevention}
    - {name: retention, builtin: retention, params: {mostDays: 400}, enforcement: warn}
"""


def names(projects: int) -> list[str]:
    """The ids of the projects."""
    return [f"acme-{number:05}" for number in range(projects)]


def write(folder: Path, projects: int) -> None:
    """What the command needs: settings, policies, and the file of projects."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tuneform.toml").write_text('policies = ["policies.yaml"]\n')
    (folder / "policies.yaml").write_text(POLICIES)
    lines = (f"{name} {' '.join(LOCATIONS)}\n" for name in names(projects))
    (folder / "projects.txt").write_text("".join(lines))


def populate(store: Store, projects: int, jobs: int) -> None:
    """Put them into an emulator's store: every other thing has no team, and every seventh bucket is open."""
    seeds = Seeds(store)
    with store.transaction():
        for number, project in enumerate(names(projects)):
            for count in range(jobs):
                _tuning(seeds, project, count)
            for count in range(2):
                is_open = (2 * number + count) % 7 == 0
                seeds.bucket(project, f"{project}-{count}", closed=not is_open, everybody=is_open)


def _tuning(seeds: Seeds, project: str, count: int) -> None:
    location = LOCATIONS[count % 2]
    labels = {"tuneform-owner": f"team-{count % 9}", "tuneform-name": f"tuning-{count}"}
    labels |= {"team": "support"} if count % 2 else {}
    spec: dict[str, Any] = {"supervisedTuningSpec": {"hyperParameters": {"epochCount": str(count % 6 + 1)}}}
    if count % SUCCEEDED == 0:
        seeds.job(project, labels=labels, location=location, stats=(1000, 100_000), **spec)
        return
    model = seeds.model(project, f"tuning-{count}", labels=labels, location=location)
    seeds.endpoint(project, model, f"tuning-{count}", labels=labels, location=location)
    seeds.job(
        project,
        state="SUCCEEDED",
        labels=labels,
        location=location,
        model=model,
        stats=(1000, 100_000),
        **spec,
    )
