"""Policies at Check: where they come from, what is said, and what is not known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2
from tests.unit.entrypoints.provider.world import TUNING_INPUTS, KeptLog

from tuneform.entrypoints.doors.policies import named
from tuneform.entrypoints.provider.server import Provider
from tuneform.entrypoints.provider.session import Session
from tuneform.entrypoints.provider.wire import UNKNOWN, Secret, encode
from tuneform.errors import SettingsError, SpecErrors

POLICY = """
apiVersion: tuneform.dev/v1
kind: Policy
metadata: {{name: {name}}}
spec:
  rules: [{{name: epochs, builtin: max-epochs, params: {{most: {most}}}, enforcement: {enforcement}}}]
"""
PINS = f"@sha256:{'0' * 64}"


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Pulumi project, in whose program's folder the provider is started."""
    (tmp_path / "Pulumi.yaml").write_text("name: theirs\nruntime: go\n")
    (tmp_path / "program").mkdir()
    monkeypatch.chdir(tmp_path / "program")
    monkeypatch.delenv("TUNEFORM_POLICIES", raising=False)
    return tmp_path


def policy(path: Path, most: int = 2, enforcement: str = "deny") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(POLICY.format(name=path.stem, most=most, enforcement=enforcement))
    return path.name


def checked(config: dict[str, Any] | None = None, **inputs: Any) -> tuple[list[str], list[str]]:
    """The failures of a TuningJob, and what was said beside them."""
    log = KeptLog()
    session = Session(log)
    session.config = config or {}
    provider = Provider(session)
    urn = "urn:pulumi:test::theirs::tuneform:index:TuningJob::intents"
    request = provider_pb2.CheckRequest(urn=urn, news=encode({**TUNING_INPUTS, **inputs}))
    answers = [provider.check(request) for _ in range(2)]
    assert answers[0] == answers[1]
    return [f"{one.property}: {one.reason.partition(';')[0]}" for one in answers[0].failures], log.lines


def test_without_policies_nothing_is_said(root: Path) -> None:
    (root / "specs").mkdir()
    (root / "specs" / "deploy.yaml").write_text("kind: Deployment\n---\nthis: [is not ours\n")
    assert checked() == ([], [])


def test_those_of_the_stack_of_the_environment_and_of_the_specs_count_together(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy(root / "stack.yaml")
    policy(root / "environment.yaml")
    policy(root / "specs" / "own.yaml")
    monkeypatch.setenv("TUNEFORM_POLICIES", str(root / "environment.yaml"))
    failures, said = checked({"policies": "stack.yaml"})
    assert sorted(failures) == [
        f"hyperParameters.epochCount: {name}/epochs: 4 epochs" for name in ("environment", "own", "stack")
    ]
    assert [line.partition(", ")[0].rpartition("/")[2] for line in said] == [
        "environment.yaml: 1 rule",
        "stack.yaml: 1 rule",
    ], "each once in a process, with its digest; of its own the program says that"


def test_a_warning_lets_it_pass_and_is_said(root: Path) -> None:
    policy(root / "stack.yaml", enforcement="warn")
    failures, said = checked({"policies": "stack.yaml"})
    assert failures == []
    assert said[1].startswith("warning: stack/epochs: 4 epochs")


def test_of_the_specs_own_policies_the_program_tells_and_they_deny_here_too(root: Path) -> None:
    policy(root / "specs" / "own.yaml", enforcement="warn")
    assert checked() == ([], [])
    policy(root / "specs" / "own.yaml")
    assert checked() == (["hyperParameters.epochCount: own/epochs: 4 epochs"], [])


def test_what_is_unknown_is_not_judged_which_is_said_once(root: Path) -> None:
    policy(root / "stack.yaml")
    failures, said = checked({"policies": "stack.yaml"}, hyperParameters={"epochCount": UNKNOWN})
    assert failures == []
    assert said[1:] == [
        "stack/epochs is not judged of this TuningJob: object.spec.hyperParameters is not known here"
    ]


def test_what_it_says_of_its_project_is_judged_too(root: Path) -> None:
    rule = policy(root / "stack.yaml")
    text = (root / rule).read_text()
    (root / rule).write_text(
        text.replace("max-epochs, params: {most: 2}", "regions, params: {locations: [mars]}")
    )
    failures, _ = checked({"policies": rule})
    assert failures == ["project.location: stack/epochs: it lies in us-central1"]


def test_a_secret_is_judged_by_its_value(root: Path) -> None:
    policy(root / "stack.yaml")
    failures, _ = checked({"policies": "stack.yaml"}, hyperParameters=Secret({"epochCount": 9}))
    assert failures == ["hyperParameters.epochCount: stack/epochs: 9 epochs"]


def test_a_bundle_that_is_not_what_was_pinned_stops_everything(root: Path) -> None:
    policy(root / "stack.yaml")
    with pytest.raises(SettingsError, match="are not those that were pinned"):
        checked({"policies": f"stack.yaml{PINS}"})
    with pytest.raises(SettingsError, match="are not pinned"):
        checked({"policies": "gs://somewhere/house.yaml"})


def test_policies_that_cannot_be_read_are_no_reason_to_go_on(root: Path) -> None:
    policy(root / "specs" / "own.yaml")
    (root / "specs" / "own.yaml").write_text(
        (root / "specs" / "own.yaml").read_text().replace("builtin", "bultin")
    )
    with pytest.raises(SpecErrors):
        checked()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ()),
        ("", ()),
        ("a.yaml, gs://b/o@sha256:1 ,", ("/stack/a.yaml", "gs://b/o@sha256:1")),
        ('["a.yaml", "/b.yaml"]', ("/stack/a.yaml", "/b.yaml")),
        (["a.yaml"], ("/stack/a.yaml",)),
    ],
)
def test_a_stack_names_bundles_as_text_or_as_a_list(value: Any, expected: tuple[str, ...]) -> None:
    assert named(value, Path("/stack")) == expected


@pytest.mark.parametrize("value", ['["a.yaml"', "[1]", {"a": 1}, 7])
def test_what_names_no_bundles_is_refused(value: Any) -> None:
    with pytest.raises(SettingsError, match="names no bundles"):
        named(value, Path("/somewhere"))
