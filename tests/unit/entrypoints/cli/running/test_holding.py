"""Which project of several a run is about, and that no stack is given to another one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.specs.environments import DEV, PROD, written

from tuneform.entrypoints.cli.running.holding import Held, chosen
from tuneform.entrypoints.cli.running.stacks import default_stack
from tuneform.entrypoints.cli.settings import Settings
from tuneform.errors import SettingsError
from tuneform.specs import Tree, load

NOTHING = Held()


def resource(kind: str, identity: str, **inputs: Any) -> dict[str, Any]:
    return {"type": kind, "id": identity, "inputs": inputs}


def state(project: str) -> dict[str, Any]:
    """What the engine exports of a stack that holds a tuning, as it writes it."""
    return {
        "resources": [
            {"type": "pulumi:pulumi:Stack"},
            resource("pulumi:providers:gcp", "6f1c"),
            resource("gcp:storage/bucket:Bucket", f"acme-{project}-data", project=f"acme-{project}"),
            resource("gcp:kms/cryptoKey:CryptoKey", "projects/p/locations/l/keyRings/r/cryptoKeys/k"),
            resource("tuneform:index:TuningJob", f"{project}/intents", project={"name": project}),
        ]
    }


def infrastructure(project: str) -> dict[str, Any]:
    return {"resources": state(project)["resources"][:-1]}


@pytest.fixture
def two(tmp_path: Path) -> Tree:
    return load(written(tmp_path / "specs", DEV, PROD))


def work_on(tree: Tree, named: str | None, held: Held, configured: str = "") -> str:
    return chosen(tree, Path("specs"), stack="s", named=named, configured=configured, held=held).name


def test_what_a_stack_holds_is_read_from_its_state() -> None:
    assert Held.of(state("dev")) == Held(frozenset({"dev"}), frozenset({"acme-dev"}))
    assert Held.of(infrastructure("dev")) == Held(frozenset(), frozenset({"acme-dev"}))
    # A resource that is only being made has no id yet.
    assert Held.of({"resources": [resource("tuneform:index:Dataset", "")]}) == NOTHING
    for empty in ({}, {"resources": None}, None):
        assert Held.of(empty).is_nothing


@pytest.mark.parametrize(
    "held", [Held.of(state("prod")), Held.of(infrastructure("prod"))], ids=["all", "no tunings"]
)
def test_a_stack_of_another_project_is_refused(two: Tree, held: Held) -> None:
    with pytest.raises(SettingsError) as caught:
        work_on(two, "dev", held)
    whose = "Project 'prod'" if held.projects else "Google Cloud project 'acme-prod'"
    assert caught.value.render() == (
        f"error[E300]: the stack s holds {whose}, and 'dev' was to be worked on: all of it would be deleted\n"
        "   = remedy: name the stack of 'dev' with --stack; a stack is one Project for ever"
    )
    assert work_on(two, "prod", held) == "prod"


def test_a_stack_says_which_project_it_is_of(two: Tree) -> None:
    assert work_on(two, None, Held.of(state("prod"))) == "prod"
    assert work_on(two, None, Held.of(infrastructure("dev"))) == "dev"
    assert work_on(two, None, NOTHING, configured="dev") == "dev"
    with pytest.raises(
        SettingsError, match=r"the stack s is configured for Project 'dev' .*, and 'prod' was named"
    ):
        work_on(two, "prod", NOTHING, configured="dev")
    with pytest.raises(
        SettingsError, match="the stack s holds Project 'prod', and 'dev' was to be worked on"
    ):
        work_on(two, None, Held.of(state("prod")), configured="dev")


def test_a_new_stack_takes_the_project_that_is_named_or_the_only_one(two: Tree, tmp_path: Path) -> None:
    assert work_on(two, "dev", NOTHING) == "dev"
    assert work_on(load(written(tmp_path / "one", DEV)), None, NOTHING) == "dev"
    with pytest.raises(SettingsError) as several:
        work_on(two, None, NOTHING)
    assert several.value.remedy == "name one of them with --project"
    with pytest.raises(SettingsError) as unknown:
        work_on(two, "prd", NOTHING)
    assert unknown.value.remedy == "did you mean 'prod'?"


def test_a_project_that_moved_to_another_google_cloud_project_is_the_same(tmp_path: Path) -> None:
    moved = load(written(tmp_path / "one", DEV.replace("acme-dev", "acme-new")))
    assert work_on(moved, None, Held.of(state("dev"))) == "dev"


@pytest.mark.parametrize(
    ("projects", "own", "named", "states", "stack"),
    [
        ([DEV], True, None, {}, "local"),
        ([DEV], False, None, {}, "local-dev"),
        ([DEV, PROD], True, "prod", {}, "local-prod"),
        ([DEV, PROD], False, "prod", {"local": "prod"}, "local-prod"),
        # The Project that was there first stays where it is, and one that is left alone does not move.
        ([DEV, PROD], True, "dev", {"local": "dev"}, "local"),
        ([DEV, PROD], True, "prod", {"local": "dev"}, "local-prod"),
        ([PROD], True, None, {"local-prod": "prod"}, "local-prod"),
        ([PROD], True, None, {"local": "{"}, "local"),
    ],
)
def test_each_project_has_a_local_stack_of_its_own(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    projects: list[str],
    own: bool,
    named: str | None,
    states: dict[str, str],
    stack: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tuneform.toml").write_text("")
    folder = written(tmp_path / ("specs" if own else "others"), *projects)
    settings = Settings.here()
    files = settings.home / "state" / ".pulumi" / "stacks" / "tuneform"
    files.mkdir(parents=True)
    for name, held in states.items():
        text = held if held == "{" else json.dumps({"version": 3, "checkpoint": {"latest": state(held)}})
        (files / f"{name}.json").write_text(text)
    assert default_stack(settings, load(folder), folder, named) == stack
