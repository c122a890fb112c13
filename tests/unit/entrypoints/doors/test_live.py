"""What is live, in the shape of documents: every built-in rule, kept and broken; and what does not show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tuneform.capabilities import prices
from tuneform.capabilities.prices import PriceTable
from tuneform.entrypoints.cli.auditing.judging import breach_of, mender, since
from tuneform.entrypoints.doors import live
from tuneform.entrypoints.doors.live import UNKNOWN, Around, Kept, Models, Sight
from tuneform.policy import LIBRARY, Exemption, Judge, Match, PolicySet, Rule, Verdict
from tuneform.reconcile.estate import (
    BucketSeen,
    DeleteRule,
    EndpointSeen,
    JobSeen,
    ModelSeen,
    ProjectSeen,
)
from tuneform.reconcile.live import Deployed, Endpoint, Job, JobState, Model
from tuneform.specs.kinds import KINDS
from tuneform.specs.meaning.policies import FOLLOWED
from tuneform.specs.shape import fields

TODAY = date(2026, 6, 1)
BORN = datetime(2026, 1, 10, 8, tzinfo=UTC)
CHANGED = BORN + timedelta(days=30)
HOME = "projects/acme/locations/us-central1"
KEY = "projects/keys/locations/us-central1/keyRings/ring/cryptoKeys/house"
ACCOUNT = "tuner@acme.iam.gserviceaccount.com"
PROJECT = ProjectSeen("acme", {"cost": "1"}, ("user:ada@example.com",), {ACCOUNT: ("roles/editor",)})
PRICES = """\
[prices."gemini-2.5-flash"]
training = 3.00
unit = "per million training tokens"
currency = "USD"
source = "our contract"
date = 2026-05-01
"""
LABELS = {"team": "support"}


def around(seen: ProjectSeen = PROJECT, table: PriceTable | None = None) -> Around:
    return Around(seen, table or prices.builtin())


def job(**fields: Any) -> JobSeen:
    whole: dict[str, Any] = {
        "name": f"{HOME}/tuningJobs/1",
        "state": JobState.RUNNING,
        "labels": LABELS,
        "base_model": "gemini-2.5-flash",
        "training_uri": "gs://b/train.jsonl",
        "validation_uri": "gs://b/validation.jsonl",
        "epochs": 3,
        "kms_key": KEY,
        "service_account": ACCOUNT,
        "display_name": "intents",
        "billable_tokens": 1000,
        "created": BORN,
    }
    return JobSeen(Job(**{**whole, **fields}), 60)


def seen_job(one: JobSeen, models: Models | None = None) -> Sight:
    found = live.job_sight(one, models or {}, around(), "us-central1")
    assert found is not None
    return found


def model(name: str = "intents", labels: Mapping[str, str] = LABELS) -> ModelSeen:
    return ModelSeen(Model(f"{HOME}/models/7@1", name, "", labels), tuned=True, created=BORN, updated=CHANGED)


def seen_model(one: ModelSeen, made_by: Job | None = None) -> Sight:
    made = live.job_of_model(made_by) if made_by else None
    return live.model_sight(Kept(one, made), around(), "us-central1")


def bucket(**fields: Any) -> Sight:
    whole: dict[str, Any] = {
        "name": "acme-data",
        "location": "us-central1",
        "labels": LABELS,
        "uniform_access": True,
        "public_access_prevention": "enforced",
        "versioning": True,
        "storage_class": "STANDARD",
        "key": KEY,
        "lifecycle": (DeleteRule(age=90),),
        "created": BORN,
        "updated": BORN,
    }
    return live.bucket_sight(BucketSeen(**{**whole, **fields}), around())


def account(roles: Mapping[str, tuple[str, ...]] | None) -> Sight:
    home = replace(PROJECT, roles=roles)
    return live.account_sight(ACCOUNT, seen_job(job()), around(home))


def rule(name: str, **params: Any) -> Rule:
    base = LIBRARY[name]
    return Rule(
        "house",
        name,
        base.expression,
        base.field,
        base.message,
        base.message_expression,
        base.why,
        base.remedy,
        base.each,
        params={**(base.optional or {}), **params},
        matches=(Match(kinds=base.kinds),),
        mendable=base.mendable,
        builtin=name,
    )


def verdict(one: Rule, sight: Sight, *exemptions: Exemption) -> Verdict:
    return Judge([PolicySet((one,), exemptions)], TODAY).judge(sight.subject)


@dataclass(frozen=True)
class Case:
    """A rule with what keeps it and what breaks it."""

    rule: Rule
    kept: Sight
    broken: Sight


PARENT: Models = {f"{HOME}/models/7": Kept(model(labels={"tuneform-owner": "t", "tuneform-name": "intents"}))}
ELSEWHERE = {"base_model": "gemini-2.5-flash", "pre_tuned": f"{HOME}/models/7@1"}

JUDGED = {
    "cmek-required": Case(rule("cmek-required"), seen_job(job()), seen_job(job(kms_key=""))),
    "key-placement": Case(
        rule("key-placement", projects=["keys"], locations=["us-central1"]),
        bucket(),
        bucket(key=KEY.replace("/keys/", "/others/")),
    ),
    "regions": Case(
        rule("regions", locations=["us-central1"]),
        live.project_sight("us-central1", BORN, around()),
        live.project_sight("europe-west4", BORN, around()),
    ),
    "base-models": Case(
        rule("base-models", models=["gemini-2.5-flash"]), seen_job(job()), seen_job(job(base_model="gemini-2.5-pro"))
    ),
    "reviewed-parents": Case(
        rule("reviewed-parents"), seen_job(job(**ELSEWHERE), PARENT), seen_job(job(**ELSEWHERE))
    ),
    "max-epochs": Case(rule("max-epochs", most=3), seen_job(job()), seen_job(job(epochs=4))),
    "max-tokens": Case(rule("max-tokens", most=3000), seen_job(job()), seen_job(job(epochs=4))),
    "max-examples": Case(
        rule("max-examples", most=60), seen_job(job()), seen_job(replace(job(), examples=61))
    ),
    "required-labels": Case(
        rule("required-labels", labels=["team"]), seen_model(model()), seen_model(model(labels={"owner": "ada"}))
    ),
    "validation-required": Case(
        rule("validation-required"), seen_job(job()), seen_job(job(validation_uri=""))
    ),
    "dedicated-service-account": Case(
        rule("dedicated-service-account"),
        seen_job(job()),
        seen_job(job(service_account="1-compute@developer.gserviceaccount.com")),
    ),
    "no-primitive-roles": Case(
        rule("no-primitive-roles"),
        account({ACCOUNT: ("roles/aiplatform.user",)}),
        account({ACCOUNT: ("roles/editor",)}),
    ),
    "uniform-bucket-access": Case(
        rule("uniform-bucket-access"), bucket(), bucket(uniform_access=False)
    ),
    "public-access-prevention": Case(
        rule("public-access-prevention"), bucket(), bucket(public_access_prevention="inherited")
    ),
    "retention": Case(rule("retention", mostDays=90), bucket(), bucket(lifecycle=())),
}  # fmt: skip
"""Rules that can be judged of what is live."""

NOT_JUDGED = {
    "test-required": (rule("test-required"), seen_model(model()), "data"),
    "gate-required": (rule("gate-required"), seen_model(model()), "object.spec.gate"),
}
"""Rules about what nothing live shows, with the path."""


@pytest.mark.parametrize("name", JUDGED)
def test_a_rule_is_kept_and_broken_by_what_is_live(name: str) -> None:
    case = JUDGED[name]
    kept, broken = verdict(case.rule, case.kept), verdict(case.rule, case.broken)

    assert (kept.findings, kept.unjudged, broken.unjudged) == ((), (), ())
    (finding,) = broken.findings
    assert not finding.broken, finding.message


def test_money_is_judged_by_the_price_table() -> None:
    priced = around(table=prices.parse(PRICES, Path("prices.toml")))
    held, over = rule("max-cost", most=6, currency="USD"), rule("max-cost", most=5, currency="USD")
    sight = live.job_sight(job(billable_tokens=1_000_000, epochs=2), {}, priced, "us-central1")
    assert sight is not None

    assert verdict(held, sight).findings == ()
    assert "up to 6 USD" in verdict(over, sight).findings[0].message


@pytest.mark.parametrize("name", NOT_JUDGED)
def test_a_rule_about_what_does_not_show_is_not_judged(name: str) -> None:
    asked, sight, path = NOT_JUDGED[name]
    found = verdict(asked, sight)
    assert found.findings == ()
    assert [one.paths for one in found.unjudged] == [(path,)]


def test_every_built_in_rule_is_among_them() -> None:
    assert {*JUDGED, *NOT_JUDGED, "max-cost"} == set(LIBRARY)


WHOLE = {
    "Project": live.project_sight("us-central1", BORN, around()),
    "TuningJob": seen_job(job(adapter_size="ADAPTER_SIZE_EIGHT", **ELSEWHERE), PARENT),
    "TunedModel": seen_model(model(), job().job),
    "DatasetBucket": bucket(),
    "EncryptionKey": live.key_sight(KEY, bucket(), around()),
    "ServiceAccount": account({}),
}
OTHERWISE = {("TuningJob", "baseModel"), ("Project", "servingLocation"), ("Project", "defaults")}
"""Fields that are there in other cases, or that rules never see: a job has one of two starts, a location is one."""


@pytest.mark.parametrize("kind", WHOLE)
def test_every_field_of_a_document_shows_live_or_is_said_not_to(kind: str) -> None:
    """With a new field in the language this fails until somebody says whether it shows."""
    shown = set(WHOLE[kind].subject.object["spec"])
    hidden = {path.split(".")[2] for path in UNKNOWN[kind] if path.startswith("object.spec.")}
    wanted = {*fields(KINDS[kind]), *FOLLOWED.get((kind, ""), ())}
    assert wanted - shown - hidden == {name for of, name in OTHERWISE if of == kind}
    assert shown <= wanted, "a rule that is written for documents finds nothing else here"


def test_what_shows_of_a_job_that_vertex_has_not_counted_is_less() -> None:
    early = seen_job(replace(job(billable_tokens=None), examples=None))
    most: dict[str, object] = {"most": 1}
    asked: dict[str, dict[str, object]] = {
        "max-tokens": most,
        "max-examples": most,
        "max-cost": {**most, "currency": "USD"},
    }
    for name, params in asked.items():
        found = verdict(rule(name, **params), early)
        assert (found.findings, len(found.unjudged)) == ((), 1), name
    assert verdict(rule("validation-required"), early).unjudged == (), "that they are there is known"


def test_a_job_that_went_on_from_a_model_that_is_gone_is_not_said_to_have_named_it() -> None:
    ours = seen_job(job(labels={"tuneform-owner": "t", "tuneform-name": "intents"}, **ELSEWHERE))
    found = verdict(rule("reviewed-parents"), ours)
    assert (found.findings, found.unjudged[0].paths) == ((), ("object.spec.preTunedModel.name",))


def test_finished_jobs_are_judged_by_what_can_still_be_mended() -> None:
    done = {"state": JobState.SUCCEEDED, "model": f"{HOME}/models/7@1", "labels": {}, "kms_key": ""}
    labelled: Models = {f"{HOME}/models/7": Kept(model())}
    bare: Models = {f"{HOME}/models/7": Kept(model(labels={}))}
    labels = rule("required-labels", labels=["team"])

    assert live.job_sight(job(**done), {}, around(), "us-central1") is None, "nothing is left of it"
    assert verdict(rule("cmek-required"), seen_job(job(**done), bare)) == Verdict()
    assert verdict(labels, seen_job(job(**done), bare)).findings
    assert not verdict(labels, seen_job(job(**done), labelled)).findings, "its model was labelled since"


def test_things_go_by_the_name_of_their_label_else_the_display_name_else_the_resource() -> None:
    named = model("for people", {"tuneform-name": "intents"})
    assert seen_model(named).subject.name == "intents"
    assert seen_model(model("for people", {})).subject.name == "for people"
    assert seen_model(model("", {})).subject.name == "7"


def test_endpoints_that_serve_no_tuned_model_and_are_not_ours_are_left_alone() -> None:
    other = ModelSeen(Model(f"{HOME}/models/8", "bert", "", {}), tuned=False)
    models: Models = {f"{HOME}/models/7": Kept(model()), f"{HOME}/models/8": Kept(other)}

    def seen(labels: dict[str, str], *names: str) -> Sight | None:
        deployed = tuple(Deployed("1", f"{HOME}/models/{name}", "1", "1", 100) for name in names)
        endpoint = Endpoint(f"{HOME}/endpoints/1", "e", "", labels, deployed)
        return live.endpoint_sight(EndpointSeen(endpoint, BORN, BORN), models, around(), "us-central1")

    assert seen({}) is None
    assert seen({}, "8") is None
    assert seen({}, "8", "7") is not None
    assert seen({"tuneform-owner": "t"}) is not None


def test_a_project_document_speaks_for_its_project() -> None:
    written = {"name": "shop", "projectId": "acme", "owner": "ml-team", "location": "us", "labels": {}}
    sight = live.job_sight(job(), {}, Around(PROJECT, prices.builtin(), written), "us-central1")
    assert sight is not None
    project = sight.subject.project
    assert (project["name"], project["owner"], project["location"]) == ("shop", "ml-team", "us-central1")
    assert "project.owner" not in sight.subject.unknown
    assert "project.owner" in seen_job(job()).subject.unknown


def test_since_is_the_last_change_or_the_end_of_an_exception_whichever_came_later() -> None:
    sight = seen_model(model())
    assert since(seen_job(job()), None) == ("2026-01-10T08:00:00Z", "created"), "a job is as it was made"
    assert since(sight, None) == ("2026-02-09T08:00:00Z", "changed last")
    assert since(replace(sight, updated=BORN), None) == ("2026-01-10T08:00:00Z", "created")
    assert since(sight, date(2026, 2, 8)) == ("2026-02-09T08:00:00Z", "changed last")
    assert since(sight, date(2026, 2, 9)) == ("2026-02-10", "its exception ended")
    assert since(replace(sight, created=None, updated=None), None) == ("", "not known")


def test_who_can_mend_a_thing() -> None:
    labels = {"team": "support", "owner": "ada", "tuneform-owner": "ml-team"}
    alone = replace(PROJECT, labels={})
    assert mender(labels, PROJECT).name == "ml-team"
    assert mender({"team": "support", "owner": "ada"}, PROJECT).name == "ada"
    assert mender({"team": "support"}, PROJECT).name == "support"
    assert mender({"team": ""}, replace(PROJECT, labels={"team": "web"})).how == "label team of the project"
    assert mender({}, alone).name == "user:ada@example.com"
    assert mender({}, replace(alone, owners=())).how.endswith("nobody has roles/owner on the project itself")
    assert mender({}, replace(alone, owners=None)).name == ""


def test_an_exception_that_has_ended_is_told_with_its_day() -> None:
    asked = rule("cmek-required")
    ended = Exemption(asked.id, "TuningJob", "intents", "in spring", date(2026, 5, 31), project="acme")
    sight = seen_job(job(kms_key=""))
    (finding,) = verdict(asked, sight, ended).findings
    breach = breach_of(finding, sight, PROJECT)
    assert (breach.ended, breach.until, breach.since) == ("2026-05-31", "", "2026-06-01")
    (covered,) = verdict(asked, sight, replace(ended, expires=TODAY)).findings
    assert breach_of(covered, sight, PROJECT).until == "2026-06-01"
