"""What a door does not know: rules that look at it are not judged there, and no others."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tuneform.policy import Judge, Match, PolicySet, Rule, Subject, Verdict


def judged(
    unknown: set[str], expression: str = "false", match: Match | None = None, **project: str
) -> Verdict:
    rule = Rule("house", "rule", expression, matches=(match,) if match else ())
    thing = {
        "kind": "TuningJob",
        "metadata": {"name": "intents", "labels": {}},
        "spec": {"encryptionKey": {"name": "projects/p/keys/k"}},
    }
    subject = Subject(thing, project, {"training": {}}, unknown=frozenset(unknown))
    return Judge([PolicySet((rule,))], date(2026, 11, 30)).judge(subject)


KEY = "object.spec.encryptionKey"


@pytest.mark.parametrize(
    ("unknown", "expression", "asked"),
    [
        pytest.param({f"{KEY}.ref"}, f"!has({KEY})", True, id="that it is there is known"),
        pytest.param({f"{KEY}.ref"}, f"!has( {KEY} )", True, id="however it is written"),
        pytest.param({f"{KEY}.ref"}, f"!has({KEY}) && {KEY} != {{}}", False, id="its whole value is not"),
        pytest.param({f"{KEY}.ref"}, f"has({KEY}.ref)", False, id="nor whether a part is there"),
        pytest.param({f"{KEY}.ref"}, f"{KEY}.name == ''", True, id="but other parts are"),
        pytest.param({KEY}, f"has({KEY})", False, id="nothing is known of it"),
        pytest.param({KEY}, f"has({KEY}.ref)", False, id="nor of its parts"),
        pytest.param({"data.training.tokens"}, "!has(data.training)", True, id="there is data"),
        pytest.param({"data.training.tokens"}, "data.training.tokens < 0", False, id="of unknown size"),
    ],
)
def test_a_rule_is_judged_by_what_it_looks_at(unknown: set[str], expression: str, asked: bool) -> None:
    found = judged(unknown, expression)
    assert bool(found.findings) == asked
    assert [one.paths for one in found.unjudged] == ([] if asked else [tuple(unknown)])


@pytest.mark.parametrize(
    ("unknown", "match", "project", "verdict"),
    [
        pytest.param(
            "object.metadata.labels", Match(labels={"team": "a"}), {}, "object.metadata.labels", id="labels"
        ),
        pytest.param(
            "object.metadata.labels", Match(names=("x",), labels={"a": "b"}), {}, "", id="another name"
        ),
        pytest.param(
            "object.metadata.labels", Match(kinds=("Dataset",), labels={"a": "b"}), {}, "", id="another kind"
        ),
        pytest.param("object.metadata.name", Match(names=("in*",)), {}, "object.metadata.name", id="name"),
        pytest.param("project.platform", Match(platforms=("vertex",)), {}, "project.platform", id="platform"),
        pytest.param(
            "project.name", Match(projects=("demo",)), {"projectId": "p-1"}, "project.name", id="project"
        ),
        pytest.param(
            "project.name", Match(projects=("p-*",)), {"projectId": "p-1"}, "broken", id="by its id"
        ),
        pytest.param("project.name", Match(projects=("p-*",)), {}, "project.name", id="neither is known"),
        pytest.param("project.name", Match(names=("in*",)), {}, "broken", id="asked for nothing unknown"),
    ],
)
def test_what_a_rule_is_about_must_be_known_too(
    unknown: str, match: Match, project: dict[str, Any], verdict: str
) -> None:
    found = judged({unknown}, match=match, **project)
    assert [one.rule for one in found.findings] == (["rule"] if verdict == "broken" else [])
    assert [one.paths for one in found.unjudged] == ([(verdict,)] if "." in verdict else [])
