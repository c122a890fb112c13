"""Which policies count: bundles that are there, are rules, and say what was pinned; and those of a tree."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.specs.environments import DEV, PROD, written

from tuneform.entrypoints.cli.settings import Settings
from tuneform.entrypoints.doors.policies import Bundle, bundles, judge_of, local_bundles, own_set, read_bundle
from tuneform.errors import NotFound, SettingsError, SpecErrors
from tuneform.policy import Subject
from tuneform.specs import load

HEAD = "apiVersion: tuneform.dev/v1\nkind: Policy\nmetadata: {name: house%s}\n"
RULE = "{name: places, builtin: regions, params: {locations: [%s]}}"
URI = "gs://acme-policies/house.yaml"


def policy(metadata: str = "", *, location: str = "us-central1") -> str:
    return f"{HEAD % metadata}spec: {{rules: [{RULE % location}]}}\n"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNEFORM_POLICIES", raising=False)
    (tmp_path / "tuneform.toml").write_text("")
    return Settings.here()


def digest(tmp_path: Path, text: str) -> str:
    (tmp_path / "pin.yaml").write_text(text)
    return own_set(load(tmp_path / "pin.yaml")).digest


def test_bundles_come_from_the_environment_or_the_settings_file_relative_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "tuneform.toml").write_text('policies = ["house", "gs://b/o@sha256:' + "0" * 64 + '"]\n')
    monkeypatch.chdir(tmp_path / "below")
    monkeypatch.delenv("TUNEFORM_POLICIES", raising=False)

    first, second = bundles(Settings.here())

    assert Path(first.where).resolve() == tmp_path / "house"
    assert (second.where, second.digest) == ("gs://b/o", "sha256:" + "0" * 64)
    assert [path.resolve() for path in local_bundles(Settings.here())] == [tmp_path / "house"]
    monkeypatch.setenv("TUNEFORM_POLICIES", "one.yaml, two")
    assert [bundle.where for bundle in bundles(Settings.here())] == ["one.yaml", "two"]


@pytest.mark.parametrize("value", ["3", "[1]", "{a = 1}"])
def test_a_setting_that_names_no_bundles_is_refused(tmp_path: Path, settings: Settings, value: str) -> None:
    (tmp_path / "tuneform.toml").write_text(f"policies = {value}\n")
    with pytest.raises(SettingsError, match="no list of bundles"):
        bundles(Settings.here())


def test_what_lies_in_cloud_storage_must_be_pinned(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="are not pinned") as refused:
        bundles(settings, [URI])
    assert "tuneform policy digest" in refused.value.remedy


@pytest.mark.parametrize(
    ("text", "wrong"),
    [(None, "there are no policies at"), (HEAD % "" + "spec: {}\n", "holds no rule"), (DEV, "holds no rule")],
    ids=["missing", "empty", "no policy"],
)
def test_a_bundle_without_rules_is_a_mistake(
    tmp_path: Path, settings: Settings, text: str | None, wrong: str
) -> None:
    if text is not None:
        (tmp_path / "house.yaml").write_text(text)
    with pytest.raises(SettingsError, match=wrong):
        read_bundle(Bundle("house.yaml"), settings)


def test_what_is_wrong_in_a_bundle_is_told_at_its_place(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "house.yaml").write_text(policy().replace("regions", "region"))
    with pytest.raises(SpecErrors, match="no built-in rule 'region'") as wrong:
        read_bundle(Bundle("house.yaml"), settings)
    assert str(wrong.value.diagnostics[0].position) == "house.yaml:4:40"


def test_a_fetched_bundle_is_kept_and_asked_for_once_and_verified_each_time(
    tmp_path: Path, settings: Settings
) -> None:
    text, asked = policy(), []

    def fetch(uri: str) -> bytes:
        asked.append(uri)
        return text.encode()

    def offline(uri: str) -> bytes:
        raise NotFound(f"{uri} was asked for")

    pinned = Bundle(URI, digest(tmp_path, text))
    first = read_bundle(pinned, settings, fetch)
    assert read_bundle(pinned, settings, offline) == first
    assert asked == [URI]

    (kept,) = (settings.home / "policies").iterdir()
    kept.write_text(policy(location="mars-north1"))
    with pytest.raises(SettingsError, match="not those that were pinned"):
        read_bundle(pinned, settings, offline)
    assert read_bundle(pinned, settings, fetch) == first, "what was tampered with is fetched again"


def test_what_was_fetched_and_is_not_what_was_pinned_is_refused_and_not_kept(settings: Settings) -> None:
    pinned = Bundle(URI, "sha256:" + "0" * 64)
    with pytest.raises(SettingsError, match="not those that were pinned"):
        read_bundle(pinned, settings, lambda _: policy().encode())
    assert list((settings.home / "policies").iterdir()) == []


def subject(project: str) -> Subject:
    thing = {"kind": "Project", "metadata": {"name": project}, "spec": {"location": "mars-north1"}}
    return Subject(thing, {"name": project, "projectId": f"tuneform-{project}"})


@pytest.mark.parametrize(
    ("metadata", "where"),
    [
        ("", {"dev", "prod"}),
        (", project: prod", {"prod"}),
        (", projects: [prod]", {"prod"}),
        (", projects: [dev, prod]", {"dev", "prod"}),
    ],
)
def test_a_policy_holds_in_the_projects_that_it_names_or_in_all(
    tmp_path: Path, settings: Settings, metadata: str, where: set[str]
) -> None:
    folder = tmp_path / "specs"
    written(folder, DEV, PROD, policy(metadata))
    judge = judge_of(load(folder), settings)

    assert {project for project in ("dev", "prod") if judge.judge(subject(project)).findings} == where


def test_in_says_what_differs_in_a_project_and_defaults_give_what_is_left_out(
    tmp_path: Path, settings: Settings
) -> None:
    stricter = "in: {prod: {enforcement: warn}}\n"
    folder = tmp_path / "specs"
    written(folder, DEV, PROD, policy(", projects: [dev, prod]") + stricter)
    judge = judge_of(load(folder), settings)

    def told(project: str) -> list[str]:
        return [finding.enforcement for finding in judge.judge(subject(project)).findings]

    assert (told("dev"), told("prod")) == (["deny"], ["warn"])


def test_a_folder_of_policies_alone_needs_no_project(tmp_path: Path, settings: Settings) -> None:
    folder = tmp_path / "house"
    written(folder, policy(), policy().replace("house", "home"))
    found = read_bundle(Bundle("house"), settings)
    assert {rule.id for rule in found.rules} == {"house/places", "home/places"}


def test_the_same_policies_in_a_tree_and_in_a_bundle_have_one_digest(
    tmp_path: Path, settings: Settings
) -> None:
    written(tmp_path / "specs", DEV, policy())
    written(tmp_path / "several", DEV, PROD, policy())
    assert own_set(load(tmp_path / "specs")).digest == digest(tmp_path, policy())
    assert own_set(load(tmp_path / "several")).digest == digest(tmp_path, policy())
