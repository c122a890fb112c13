"""Rules as Kubernetes asks them: what is written into their text, and which of them it cannot ask."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from tuneform.entrypoints.cli.main import cli
from tuneform.entrypoints.doors.admission.cel import validation
from tuneform.entrypoints.doors.admission.objects import admission
from tuneform.entrypoints.doors.admission.reach import beyond
from tuneform.policy import Exemption, Match, PolicySet, Rule

TODAY = date(2026, 11, 30)


def rule(expression: str, kind: str = "TuningJob", **more: Any) -> Rule:
    matches = (Match(kinds=(kind,)), *more.pop("matches", ()))
    return Rule("house", "rule", expression, matches=matches, **more)


@pytest.mark.parametrize(
    ("kind", "expression", "written"),
    [
        ("TuningJob", "object.spec.baseModel == 'a'", "object.spec.baseModel == 'a'"),
        ("TuningJob", "has(object.spec.encryptionKey)", "has(object.spec.encryptionKey)"),
        (
            "TuningJob",
            "object.spec.limits.retries < 2",
            "object.spec.?limits.orValue({}).?retries.orValue(0) < 2",
        ),
        ("TuningJob", "has(object.spec.limits.maxCost)", "has(object.spec.?limits.orValue({}).maxCost)"),
        ("TuningJob", "has(object.spec.limits.retries)", "true"),
        ("DatasetBucket", "object.spec.versioning", "object.spec.?versioning.orValue(true)"),
        (
            "Dataset",
            "object.spec.columns.input == 'q'",
            "object.spec.?columns.orValue({}).?input.orValue(\"input\") == 'q'",
        ),
        (
            "Project",
            "object.spec.servingLocation != ''",
            "object.spec.?servingLocation.orValue(object.spec.location) != ''",
        ),
        ("TuningJob", "'object.spec.limits' != ''", "'object.spec.limits' != ''"),
        (
            "TuningJob",
            "has(object.metadata.annotations.ticket) && object.metadata.annotations.ticket != ''",
            '("ticket" in object.metadata.?annotations.orValue({})) && '
            "object.metadata.?annotations.orValue({})[\"ticket\"] != ''",
        ),
        (
            "TuningJob",
            "params.a in params.b",
            '{"a": dyn(1), "b": dyn([dyn(1), dyn("x")])}.a in {"a": dyn(1), "b": dyn([dyn(1), dyn("x")])}.b',
        ),
    ],
)
def test_defaults_and_parameters_are_written_into_the_expression(
    kind: str, expression: str, written: str
) -> None:
    params = {"a": 1, "b": [1, "x"]} if "params" in expression else {}
    found = validation(rule(expression, kind, params=params), kind, [], {})
    assert found.expression == f'object.kind != "{kind}" || (({written}) == true)'


@pytest.mark.parametrize(
    ("kind", "expression", "reason"),
    [
        ("TuningJob", "data.training.examples > 1", "no such thing at admission"),
        ("TuningJob", "project.location == 'x'", "no such thing at admission"),
        ("TuningJob", "object.metadata.labels.team == 'x'", "those of the Project count"),
        ("TuningJob", "object.metadata.project == 'x'", "does not say which project"),
        ("TuningJob", "object.spec.serviceAccount.email != ''", "behind a reference"),
        ("EncryptionKey", "object.spec.projectId != ''", "behind a reference"),
        (
            "EncryptionKey",
            "duration(object.spec.rotationPeriod) < duration('1h')",
            "a duration as people write it",
        ),
        (
            "TuningJob",
            "duration(object.spec.limits.timeout) < duration('1h')",
            "a duration as people write it",
        ),
        ("Dataset", "object.spec.training.file != ''", "in short"),
        ("TuningJob", "object.spec == {}", "what was written alone"),
        ("TuningJob", "object.spec.baseModel.reverse() == 'x'", "reverse(), which Kubernetes has not"),
        ("TuningJob", "object.spec.method == 'SUPERVISED'", "the Project demo fills in"),
        ("TuningJob", "has(object.spec.serviceAccount)", ""),
        ("TuningJob", "object.spec.dataset.ref == 'x'", ""),
        ("EncryptionKey", "object.spec.keyName == 'x'", ""),
    ],
)
def test_what_admission_does_not_see_is_out_of_reach(kind: str, expression: str, reason: str) -> None:
    found = beyond(rule(expression, kind), kind, {"TuningJob": {"method": "demo"}})
    assert reason in found
    assert bool(found) == bool(reason)


@pytest.mark.parametrize(
    "match", [Match(projects=("p",)), Match(platforms=("vertex",)), Match(labels={"a": "b"})]
)
def test_a_rule_for_some_projects_or_labels_is_out_of_reach(match: Match) -> None:
    assert beyond(rule("false", matches=(match,)), "TuningJob", {})


def exemption(**more: Any) -> Exemption:
    given = {
        "rule": "house/rule",
        "kind": "TuningJob",
        "name": "a",
        "reason": "agreed",
        "expires": date(2027, 1, 1),
    }
    return Exemption(**{**given, **more})


def test_exceptions_stand_before_the_rule_while_they_last() -> None:
    one = rule("false", field="spec.limits.retries")
    sets = [
        PolicySet(
            (one,),
            (
                exemption(),
                exemption(name="field", field="spec.limits"),
                exemption(name="other", field="spec.baseModel"),
                exemption(name="over", expires=date(2026, 11, 29)),
                exemption(name="elsewhere", project="demo"),
                exemption(name="a-bucket", kind="DatasetBucket"),
            ),
        )
    ]
    made = admission(sets, {}, TODAY)
    (validating,) = (one["spec"] for one in made.objects if "validations" in one["spec"])
    (asked,) = validating["validations"]
    assert asked["expression"] == (
        'object.kind != "TuningJob" || object.metadata.name in ["a", "field"] || ((false) == true)'
    )
    assert [left.reason for left in made.partly] == [
        "the exception of elsewhere is for the project demo alone, and does not count here"
    ]
    text = made.as_yaml()
    assert "#   2027-01-01: house/rule of TuningJob a: agreed\n" in text
    assert "write it anew on the day after" in text


def test_each_item_is_asked_and_may_be_excepted_by_its_field() -> None:
    one = rule(
        "item != ''",
        each="object.spec.evaluationConfig.metrics",
        field="spec.metrics.{item}",
        message="{item} is nothing",
        matches=(Match(names=("in*", "x?")),),
    )
    found = validation(one, "TuningJob", [exemption(field="spec.metrics.bleu")], {})
    assert found.expression.startswith(
        'object.kind != "TuningJob" || !object.metadata.name.matches("^(in.*|x.)$") || '
        '((object.spec.evaluationConfig.metrics).all(item, (object.metadata.name == "a" && '
        '("spec.metrics." + string(item) + "" == "spec.metrics.bleu"'
    )
    assert '.map(item, string("" + string(item) + " is nothing")).join(\', \')' in found.message_expression


POLICY = """
apiVersion: tuneform.dev/v1
kind: Policy
metadata: {name: house}
spec:
  rules:
    - {name: public, builtin: public-access-prevention}
    - {name: gate, builtin: gate-required, enforcement: warn}
    - {name: roles, builtin: no-primitive-roles, enforcement: audit}
    - {name: cost, builtin: max-cost, params: {most: 1, currency: USD}}
"""


def test_the_command_prints_objects_and_what_it_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "house.yaml").write_text(POLICY)

    def run(*more: str) -> Any:
        return CliRunner().invoke(cli, ["policy", "admission", str(tmp_path / "house.yaml"), *more])

    ran = run()
    assert ran.exit_code == 0, ran.output
    assert "#   house/cost of TuningJob: it reads cost.currency" in ran.output
    objects = list(yaml.safe_load_all(ran.output))
    actions = {
        one["spec"]["policyName"]: one["spec"]["validationActions"]
        for one in objects
        if "policyName" in one["spec"]
    }
    assert actions == {
        "tuneform-house-deny": ["Deny"],
        "tuneform-house-warn": ["Warn", "Audit"],
        "tuneform-house-audit": ["Audit"],
    }
    assert {one["metadata"]["name"] for one in objects} == set(actions)
    assert run("--detailed-exitcode").exit_code == 2
    told = json.loads(run("--format", "json").stdout)
    assert [one["rule"] for one in told["unexpressed"]] == ["house/cost"]
    assert told["objects"] == objects
    assert told["digest"] in ran.output
