"""The generated workflows at work: their own steps, a repository, an emulator; only GitHub itself is stood in for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.functional.commands.conftest import Shop

from .hub import Hub
from .runner import Done, Event, Runner, environment, git

MISSING = [tool for tool in ("git", "curl", "jq", "bash") if shutil.which(tool) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"the workflows' steps need {', '.join(MISSING)}")
PULL_REQUEST, APPLY, DRIFT = "tuneform-pull-request.yml", "tuneform-apply.yml", "tuneform-drift.yml"
PUSH = Event("push")
CLOCK = Event("schedule")


@dataclass
class Repository:
    """The shop's specs in a repository with the workflows, its clone, and a machine that runs them."""

    shop: Shop
    hub: Hub
    runner: Runner

    def branch(self, name: str) -> None:
        git(self.shop.folder, "switch", "--quiet", "--create", name)

    def push(self, message: str, branch: str = "main") -> None:
        git(self.shop.folder, "add", "--all")
        git(self.shop.folder, "commit", "--quiet", "--message", message)
        git(self.shop.folder, "push", "--quiet", "origin", branch)

    def merge(self, branch: str) -> None:
        git(self.shop.folder, "switch", "--quiet", "main")
        git(self.shop.folder, "merge", "--quiet", "--no-ff", "-m", f"Merge {branch}", branch)
        git(self.shop.folder, "push", "--quiet", "origin", "main")

    def propose(self, number: int, branch: str, *, fork: bool = False) -> Done:
        return self.runner.run(PULL_REQUEST, Event("pull_request", number, branch, fork))


@pytest.fixture
def repository(shop: Shop, tmp_path: Path) -> Iterator[Repository]:
    shop.write("colours", keep=2)
    (shop.folder / ".gitignore").write_text(".tuneform/\n")
    origin = tmp_path / "origin.git"
    git(tmp_path, "init", "--quiet", "--bare", str(origin))
    git(shop.folder, "init", "--quiet")
    git(shop.folder, "remote", "add", "origin", str(origin))
    shop.does("init", "--github")
    with Hub().served() as hub:
        home = tmp_path / "home"
        home.mkdir()
        runner = Runner(origin, tmp_path / "runs", hub, environment(shop.emulator.endpoint, home))
        made = Repository(shop, hub, runner)
        made.push("Tunings, and the workflows that look after them")
        yield made


DONE = {"plan": "success", "apply": "success"}


def test_a_change_is_proposed_commented_on_merged_and_applied(repository: Repository) -> None:
    shop, hub = repository.shop, repository.hub
    repository.branch("first")
    shop.write("colours", epochs=3, keep=2)
    repository.push("Three epochs", "first")

    proposed = repository.propose(1, "first")

    assert proposed.results == {"check": "success", "plan": "success"}, proposed.log
    assert proposed.accounts == ["plan@shop.example"]
    (sarif,) = proposed.sarif
    assert {found["level"] for found in sarif["runs"][0]["results"]} == {"warning"}
    (said,) = hub.of_bot(1)
    assert said.startswith("<!-- tuneform plan: specs -->\n### tuneform plan: shop\n")
    assert "| **TuningJob colours**<br>`specs/colours.yaml:2` | new revision r1-" in said
    assert said in proposed.summary
    assert shop.live("tuningJobs") == [], "a pull request trains nothing"

    repository.merge("first")
    merged = repository.runner.run(APPLY, PUSH)

    assert merged.results == DONE, merged.log
    assert merged.accounts == ["plan@shop.example", "apply@shop.example"]
    assert "saved as plan.json" in merged.log
    assert len(shop.live("tuningJobs")) == 1


@pytest.mark.slow
def test_the_life_of_a_change_from_the_pull_request_to_drift(repository: Repository) -> None:
    """Proposed, proposed again, merged, reverted at no cost; then changed by hand, reported, repaired."""
    shop, runner = repository.shop, repository.runner
    assert runner.run(APPLY, PUSH).results == DONE
    _propose_twice(repository)
    repository.merge("longer")
    assert runner.run(APPLY, PUSH).results == DONE
    assert len(shop.live("tuningJobs")) == 2

    git(shop.folder, "revert", "--no-edit", "--mainline=1", "HEAD")
    git(shop.folder, "push", "--quiet", "origin", "main")
    reverted = runner.run(APPLY, PUSH)
    assert reverted.results == DONE, reverted.log
    assert "1 to adopt" in reverted.summary
    assert len(shop.live("tuningJobs")) == 2, "what was trained before is adopted"
    _drift(repository)
    assert runner.run(APPLY, PUSH).results == {"plan": "success", "apply": "skipped"}


def _propose_twice(repository: Repository) -> None:
    """One comment, kept up to date, among two pages of comments of people who wrote the same marker."""
    shop, hub = repository.shop, repository.hub
    for number in range(120):
        hub.comment(1, f"<!-- tuneform plan: specs --> {number}", {"login": "somebody", "type": "User"})
    repository.branch("longer")
    shop.write("colours", epochs=3, keep=2)
    repository.push("Three epochs", "longer")
    repository.propose(1, "longer")
    (said,) = hub.of_bot(1)
    assert "hyperParameters.epochCount 2 → 3" in said

    rows = shop.folder / "specs" / "colours.jsonl"
    rows.write_text(rows.read_text() + '{"text_input": "say teal 1", "output": "teal"}\n')
    repository.push("A new colour", "longer")
    repository.propose(1, "longer")
    (updated,) = hub.of_bot(1)
    assert "Dataset colours: training: 1 added, 24 unchanged" in updated
    assert all(c["body"].endswith(str(n)) for n, c in enumerate(hub.comments[:120]))
    assert len(shop.live("tuningJobs")) == 1


def _drift(repository: Repository) -> None:
    """None at first, then one issue for one change by hand, closed once it is repaired."""
    shop, hub, runner = repository.shop, repository.hub, repository.runner
    marked = "<!-- tuneform drift: specs -->"
    theirs = {"number": 100, "state": "open", "user": {"type": "User"}, "body": marked}
    hub.issues.append(theirs)
    calm = runner.run(DRIFT, CLOCK)
    assert calm.results == {"drift": "success"}, calm.log
    assert hub.issues == [theirs]
    (endpoint,) = [e for e in shop.live("endpoints") if e["name"].endswith("/colours")]
    change = {"displayName": "changed by hand"}
    assert shop.emulator.call("PATCH", f"/v1/{endpoint['name']}?updateMask=displayName", json=change).ok
    for _ in range(2):
        assert runner.run(DRIFT, CLOCK).results == {"drift": "success"}
    (_, issue) = hub.issues
    assert (issue["state"], issue["labels"]) == ("open", ["tuneform-drift"])
    assert issue["body"].startswith(f"{marked}\n### tuneform plan: shop")
    assert "changed by hand" in issue["body"]
    assert runner.run(APPLY, Event("workflow_dispatch")).results == DONE
    runner.run(DRIFT, CLOCK)
    assert [issue["state"] for issue in hub.issues] == ["open", "closed"]


@pytest.mark.slow
def test_a_pull_request_that_is_wrong_is_told_where_and_gets_no_plan(repository: Repository) -> None:
    repository.branch("typo")
    file = repository.shop.folder / "specs" / "colours.yaml"
    file.write_text(file.read_text().replace("epochCount", "epochsCount"))
    repository.push("A typo", "typo")

    done = repository.propose(2, "typo")

    assert done.results == {"check": "failure", "plan": "skipped"}
    assert "::error file=specs/colours.yaml" in done.log
    (found,) = done.sarif
    assert found["runs"][0]["results"]
    assert repository.hub.comments == []


@pytest.mark.slow
def test_a_pull_request_from_a_fork_is_checked_and_gets_neither_credentials_nor_a_plan(
    repository: Repository,
) -> None:
    repository.branch("theirs")
    repository.shop.write("colours", epochs=3)
    repository.push("Theirs", "theirs")

    done = repository.propose(3, "theirs", fork=True)

    assert done.results == {"check": "success", "plan": "skipped"}
    assert (done.accounts, done.sarif, repository.hub.comments) == ([], [], [])


@pytest.mark.slow
def test_a_plan_that_fails_is_said_in_the_place_of_the_one_before(repository: Repository) -> None:
    repository.branch("longer")
    repository.shop.write("colours", epochs=3)
    repository.push("Three epochs", "longer")
    assert repository.propose(4, "longer").results == {"check": "success", "plan": "success"}
    runner = repository.runner
    runner.env = {**runner.env, "TUNEFORM_ENDPOINT": "http://127.0.0.1:9"}

    done = repository.propose(4, "longer")

    assert done.results == {"check": "success", "plan": "failure"}
    (said,) = repository.hub.of_bot(4)
    assert "### tuneform plan: it failed" in said
    assert "no emulator answers at" in said


@pytest.mark.slow
def test_a_plan_that_something_overtook_is_not_applied(repository: Repository) -> None:
    runner, shop = repository.runner, repository.shop
    workflow = shop.folder / ".github" / "workflows" / APPLY
    meddled = workflow.read_text().replace(
        "      - name: Apply the saved plan\n",
        '      - name: Somebody is faster\n        run: tuneform apply "$SPECS" --yes\n'
        "      - name: Apply the saved plan\n",
    )
    assert meddled != workflow.read_text()
    workflow.write_text(meddled)
    repository.push("Somebody is faster")

    done = runner.run(APPLY, PUSH)

    assert done.results == {"plan": "success", "apply": "failure"}
    assert "error[E615]" in done.log
    assert len(shop.live("tuningJobs")) == 1
