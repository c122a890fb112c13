"""Policies at the doors of the command line: what is forbidden is shown, and nothing of it is done."""

from __future__ import annotations

import re
import signal

import pytest

from .conftest import Shop, until
from .test_watch import watching

LIMIT = """\
apiVersion: tuneform.dev/v1
kind: Policy
metadata: {{name: house}}
spec:
  match: {{kinds: [TuningJob]}}
  enforcement: {enforcement}
  rules:
    - {{name: epochs, builtin: max-epochs, params: {{most: {most}}}}}
    - {{name: size, builtin: max-examples, params: {{most: 24}}}}
"""
EXCEPTION = """\
  exceptions:
    - rule: epochs
      kind: TuningJob
      name: colours
      reason: a trial that was agreed with Ada
      expires: {expires}
"""
BROKEN = "house/epochs: 2 epochs; 1 are the most"


def write(shop: Shop, *, most: int = 1, enforcement: str = "deny", expires: str = "") -> None:
    """The policy of the house, with an exception where it has a day."""
    text = LIMIT.format(most=most, enforcement=enforcement)
    text += EXCEPTION.format(expires=expires) if expires else ""
    (shop.folder / "specs" / "house.yaml").write_text(text)


def test_plan_shows_all_of_it_and_what_is_forbidden_and_apply_does_nothing(shop: Shop) -> None:
    write(shop)

    planned = shop.run("plan", "--out", "plan.json")

    assert planned.code == 1
    assert "TuningJob colours  specs/colours.yaml:2\n  + new revision r1-" in planned.out
    assert re.search(rf"specs/colours.yaml:\d+:\d+: error\[E194\]: {BROKEN}", planned.out)
    assert "policies: specs: 2 rules, sha256:" in planned.out
    assert "not saved as plan.json" in planned.err
    assert not (shop.folder / "plan.json").exists()

    applied = shop.run("apply", "--yes")

    assert applied.code == 1
    assert f"error[E194]: {BROKEN}" in applied.err
    assert shop.live("tuningJobs") == []


def test_programs_get_the_findings_with_the_digest_of_the_rules(shop: Shop) -> None:
    write(shop)

    policy = shop.run("plan", "--format", "json").json["policy"]

    (finding,) = policy["findings"]
    assert policy["digest"].startswith("sha256:")
    assert policy["unjudged"] == []  # the data was read
    assert (finding["rule"], finding["field"], finding["blocks"]) == (
        "house/epochs",
        "spec.hyperParameters.epochCount",
        True,
    )


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({"enforcement": "warn"}, f"warning[W190]: {BROKEN}"),
        (
            {"expires": "2027-01-31"},
            "house/epochs excepted until 2027-01-31: a trial that was agreed with Ada",
        ),
        ({"most": 2}, "policies: specs: 2 rules"),
    ],
    ids=["warned", "excepted", "kept"],
)
def test_what_is_not_forbidden_is_planned(shop: Shop, policy: dict[str, object], said: str) -> None:
    write(shop, **policy)  # type: ignore[arg-type]

    ended = shop.run("plan", "--detailed-exitcode")

    assert ended.code == 2, ended.out + ended.err
    assert said in ended.out


def test_an_exception_that_has_ended_counts_no_more(shop: Shop) -> None:
    write(shop, expires="2026-01-31")

    ended = shop.run("plan")

    assert ended.code == 1
    assert "its exception ended on 2026-01-31" in ended.out


def test_a_plan_of_a_part_is_judged_by_what_it_is_about(shop: Shop) -> None:
    write(shop)
    shop.write("shades", epochs=1)

    assert shop.run("plan", "specs/shades.yaml").code == 0
    assert shop.run("plan", "specs/colours.yaml").code == 1


def test_the_watch_loop_refuses_what_is_forbidden_and_goes_on_once_it_is_not(shop: Shop) -> None:
    with watching(shop) as watcher:
        watcher.event("done", kind="TunedModel", name="colours", action="promote")
        write(shop, most=2)
        shop.write("shades", epochs=3)
        assert "house/epochs: 3 epochs" in watcher.event("specs-refused")["message"]
        assert len(shop.live("tuningJobs")) == 1

        write(shop, most=3)
        watcher.event("done", kind="TunedModel", name="shades", action="promote")
        watcher.process.send_signal(signal.SIGTERM)
        until(lambda: watcher.process.poll() is not None, "it ends")


def test_a_saved_plan_is_stale_once_other_policies_count(shop: Shop) -> None:
    write(shop, most=2)
    shop.does("plan", "--out", "plan.json")
    write(shop, most=3)

    refused = shop.run("apply", "plan.json", "--yes")

    assert refused.code == 1
    assert "error[E615]: plan.json is stale: it was judged by other policies (sha256:" in refused.err
    assert shop.live("tuningJobs") == []
    write(shop, most=2)
    shop.does("apply", "plan.json", "--yes", "--wait", "accepted")


def test_a_bundle_that_is_pinned_is_judged_and_a_changed_one_refused(shop: Shop) -> None:
    bundle = shop.folder / "house.yaml"
    bundle.write_text(LIMIT.format(most=1, enforcement="deny"))
    shop.environment["TUNEFORM_POLICIES"] = "house.yaml"
    unpinned = shop.run("plan", "--format", "json").json["policy"]
    (source,) = unpinned["sources"]
    digest = source.rpartition(" ")[2]

    shop.environment["TUNEFORM_POLICIES"] = f"house.yaml@{digest}"
    assert shop.run("plan").code == 1
    bundle.write_text(LIMIT.format(most=100, enforcement="deny"))
    tampered = shop.run("plan")

    assert tampered.code == 1
    assert "are not those that were pinned" in tampered.err
    assert shop.run("apply", "--yes").code == 1
    assert shop.live("tuningJobs") == []


def test_a_tree_cannot_except_itself_from_a_bundle(shop: Shop) -> None:
    (shop.folder / "house.yaml").write_text(LIMIT.format(most=1, enforcement="deny"))
    shop.environment["TUNEFORM_POLICIES"] = "house.yaml"
    own = LIMIT.format(most=9, enforcement="warn") + EXCEPTION.format(expires="2027-01-31")
    (shop.folder / "specs" / "own.yaml").write_text(own)

    ended = shop.run("plan")

    assert ended.code == 1
    assert BROKEN in ended.out
