"""A project with a tuning in every state, and what is hostile in it: the data of the golden page and of other tests."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.unit.reconcile.builders import NOON, PROJECT, TUNING

from tuneform.capabilities.prices import Price, PriceTable
from tuneform.errors import Diagnostic, Position
from tuneform.policy import Enforcement, Exemption, Finding, Unjudged
from tuneform.reconcile.desired import Content, Desired, Gate, Serving, Tuning
from tuneform.reconcile.ledger import Attempt, AttemptState, GateResult, Record, Verdict, Versioned
from tuneform.reconcile.live import Checkpoint, Curves, Deployed, Endpoint, Job, JobState, Model, bare
from tuneform.reconcile.observe import World
from tuneform.reconcile.plan import plan_project
from tuneform.reconcile.plan.serving import asked
from tuneform.reconcile.recipe import recipe
from tuneform.review.next_run import next_run
from tuneform.review.report import Judged, Looked, Report, project_part
from tuneform.review.report.statistics import DatasetStatistics, LabelCount, Lengths, SplitStatistics
from tuneform.review.status import survey
from tuneform.review.suitability import Facts

HOSTILE = "<script>alert('x')</script>"
MADE = NOON + timedelta(hours=2)
TEST = Content("gs://demo-data/datasets/intents/tt.jsonl", "sha256:tt", 100, 2_000, 1_800, 2_400)
PRICES = PriceTable(
    {"gemini-2.5-flash": Price("gemini-2.5-flash", "USD", Decimal(5), "price list", date(2026, 11, 1))}
)
EPOCHS, STEPS = 4, 40
CURVES = Curves(
    train_loss=tuple((step, round(2 * math.exp(-step / 8) + 0.02 * (step % 3), 6)) for step in range(1, 41)),
    train_accuracy=tuple((step, round(1 - math.exp(-step / 9), 6)) for step in range(1, 41)),
    eval_loss=((10, 0.5), (20, 0.25), (30, 0.3), (40, 0.36)),
    eval_accuracy=((10, 0.8), (20, 0.93), (30, 0.92), (40, 0.91)),
)
BEGUN = Curves(train_loss=CURVES.train_loss[:12], train_accuracy=CURVES.train_accuracy[:12])


@dataclass
class Scene:
    """What is declared and what is live, put together tuning by tuning."""

    tunings: list[Tuning] = field(default_factory=list)
    servings: list[Serving] = field(default_factory=list)
    jobs: dict[str, tuple[Job, ...]] = field(default_factory=dict)
    records: dict[str, tuple[Versioned, ...]] = field(default_factory=dict)
    models: dict[str, Model] = field(default_factory=dict)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    curves: dict[str, Curves] = field(default_factory=dict)

    def tuning(self, name: str, **fields: Any) -> Tuning:
        """Declare one; each has a recipe of its own."""
        training = replace(
            TUNING.training, digest=f"sha256:{name}", uri=f"gs://demo-data/datasets/{name}/aa.jsonl"
        )
        made = replace(
            TUNING,
            **{
                "name": name,
                "display_name": name,
                "training": training,
                "price": PRICES.find(TUNING.base_model),
                **fields,
            },
        )
        self.tunings.append(made)
        return made

    def job(
        self, tuning: Tuning, state: JobState, *, number: int = 1, curves: Curves | None = None, **fields: Any
    ) -> Job:
        """A job of it."""
        at = f"{PROJECT.parent}/tuningJobs/{len(self.jobs) + 1}{number}"
        model = (
            f"{PROJECT.parent}/models/{len(self.jobs) + 1}{number}@1" if state is JobState.SUCCEEDED else ""
        )
        own = {"tuneform-owner": "team", "tuneform-name": tuning.name, "tuneform-revision": tuning.revision}
        ended = NOON + timedelta(minutes=47) if state.ended else None
        made = Job(
            **{
                "name": at,
                "state": state,
                "labels": {**own, "tuneform-attempt": str(number)},
                "base_model": tuning.base_model,
                "epochs": EPOCHS,
                "steps": STEPS,
                "model": model,
                "checkpoints": _checkpoints() if model else (),
                "created": NOON,
                "ended": ended,
                "display_name": tuning.name,
                "billable_tokens": 6_100,
                **fields,
            }
        )
        self.jobs[tuning.name] = (*self.jobs.get(tuning.name, ()), made)
        if model:
            self.models[bare(model)] = Model(
                model, tuning.name, tuning.description, {**own, **tuning.labels, "tune-type": "sft"}
            )
        if curves is not None:
            self.curves[at] = curves
        return made

    def record(self, tuning: Tuning, *attempts: Attempt, **fields: Any) -> None:
        """What the ledger holds of it."""
        made = Record(
            "demo", tuning.name, tuning.revision, recipe(tuning), attempts,
            **{"wanted": NOON, "training": tuning.training.uri, **fields},
        )  # fmt: skip
        self.records[tuning.name] = (Versioned(made, 1, NOON),)

    def served(self, tuning: Tuning, job: Job, answers: str, **fields: Any) -> Serving:
        """A TunedModel, and the endpoint that serves a checkpoint for it."""
        serving = self.serves(tuning, **fields)
        labels = {"tuneform-owner": "team", "tuneform-name": tuning.name}
        deployed = (Deployed("1", bare(job.model), "1", answers, 100),)
        self.endpoints[serving.endpoint] = Endpoint(serving.endpoint, tuning.name, "", labels, deployed)
        return serving

    def serves(self, tuning: Tuning, **fields: Any) -> Serving:
        """A TunedModel that nothing serves yet."""
        serving = Serving(
            PROJECT, tuning.name, tuning.name, tuning.revision, display_name=tuning.name, **fields
        )
        self.servings.append(serving)
        return serving

    def looked(self, **fields: Any) -> Looked:
        """The look at it."""
        desired = Desired(PROJECT, tuple(self.tunings), tuple(self.servings))
        world = World(
            jobs=self.jobs, models=self.models, endpoints=self.endpoints, records=self.records, when=MADE
        )
        plan = plan_project(desired, world)
        seen = tuple(self._advised(one) for one in survey(desired, world, plan))
        return Looked(desired, world, plan, seen, self.curves, **fields)

    def _advised(self, one: Any) -> Any:
        job = next(
            (j for jobs in self.jobs.values() for j in jobs if one.job and j.name == one.job.name), None
        )
        found = next_run(job, self.curves[job.name]) if job and job.name in self.curves else None
        return replace(one, advice=found)


def _checkpoints() -> tuple[Checkpoint, ...]:
    return tuple(Checkpoint(str(n), n, 10 * n) for n in range(1, 5))


def attempt(state: AttemptState, job: Job | None = None, cause: str = "first", number: int = 1) -> Attempt:
    return Attempt(
        number,
        state,
        cause,
        holder="elsewhere:1:a",
        job=job.name if job else "",
        model=job.model if job else "",
    )


def good(scene: Scene) -> Tuning:
    """A tuning that serves its best checkpoint, whose gate was passed."""
    tuning = scene.tuning("intents", description="Names the intent of a message.", labels={"team": "support"})
    job = scene.job(tuning, JobState.SUCCEEDED, curves=CURVES)
    gate = Gate(exact_match_at_least=0.6, eval_loss_at_most=0.4)
    serving = scene.served(tuning, job, "2", checkpoint="best", gate=gate, test=TEST)
    kept = (
        *(
            GateResult(str(n), "evalLoss", value, tuning.revision, 0)
            for n, (_, value) in enumerate(CURVES.eval_loss, 1)
        ),
        GateResult("2", "exactMatch", 0.83, TEST.digest, 0),
    )
    scene.record(
        tuning, attempt(AttemptState.SUCCEEDED, job), best="2", served="2", promoted=NOON, cleared=True, gates=kept,
        verdict=Verdict(asked(serving, job.checkpoints[1]), passed=True),
    )  # fmt: skip
    return tuning


def drifted(scene: Scene) -> None:
    """A tuning that serves, and whose endpoint somebody has renamed."""
    tuning = scene.tuning("drifted")
    job = scene.job(tuning, JobState.SUCCEEDED)
    serving = scene.served(tuning, job, "4")
    renamed = replace(scene.endpoints[serving.endpoint], display_name="mine now")
    scene.endpoints[serving.endpoint] = renamed
    scene.record(tuning, attempt(AttemptState.SUCCEEDED, job), served="4", promoted=NOON, cleared=True)


def missed(scene: Scene) -> None:
    """A tuning whose gate was not passed."""
    tuning = scene.tuning("missed")
    job = scene.job(tuning, JobState.SUCCEEDED)
    serving = scene.serves(tuning, gate=Gate(exact_match_at_least=0.9), test=TEST)
    verdict = Verdict(
        asked(serving, job.checkpoints[-1]), passed=False, reason="exactMatch at least 0.9 was asked for"
    )
    measured = GateResult("4", "exactMatch", 0.41, TEST.digest, 0)
    scene.record(tuning, attempt(AttemptState.SUCCEEDED, job), gates=(measured,), verdict=verdict)


def failed(scene: Scene) -> None:
    tuning = scene.tuning("failed", description=HOSTILE)
    job = scene.job(tuning, JobState.FAILED, error=f"no room left {HOSTILE}", billable_tokens=None)
    scene.record(tuning, attempt(AttemptState.FAILED, job, cause=job.error))


def cancelled(scene: Scene) -> None:
    tuning = scene.tuning("cancelled")
    job = scene.job(tuning, JobState.CANCELLED)
    scene.record(tuning, attempt(AttemptState.CANCELLED, job, cause="cancelled by ada at 12:20"))


def running(scene: Scene) -> None:
    tuning = scene.tuning("running")
    job = scene.job(tuning, JobState.RUNNING, curves=BEGUN, billable_tokens=None)
    scene.record(tuning, attempt(AttemptState.KNOWN, job))


def unresolved(scene: Scene) -> None:
    scene.record(scene.tuning("unresolved"), attempt(AttemptState.SENT))


def vanished(scene: Scene) -> None:
    """The ledger names a job that Vertex AI does not show, in a state that it should be in."""
    tuning = scene.tuning("vanished")
    gone = Job(
        f"{PROJECT.parent}/tuningJobs/99", JobState.SUCCEEDED, {}, model=f"{PROJECT.parent}/models/99@1"
    )
    scene.record(tuning, attempt(AttemptState.SUCCEEDED, gone))


def strange(scene: Scene) -> None:
    """A state that nobody documented, and a curve with values that are no numbers."""
    tuning = scene.tuning("strange")
    broken = Curves(train_loss=((1, 1.0), (2, math.nan), (3, math.inf), (4, 0.5)))
    job = scene.job(tuning, JobState.UNSPECIFIED, curves=broken, epochs=0, steps=0)
    scene.record(tuning, attempt(AttemptState.KNOWN, job))


def left_over(scene: Scene) -> None:
    """Live, and in no document."""
    tuning = scene.tuning("left-over")
    scene.tunings.remove(tuning)
    job = scene.job(tuning, JobState.SUCCEEDED)
    scene.record(tuning, attempt(AttemptState.SUCCEEDED, job))


LENGTHS = (Lengths(4, 31, 90), Lengths(5, 8, 12))
DATA = DatasetStatistics(
    name="intents",
    task="classification",
    splits=(
        SplitStatistics("training", 300, 6_000, 5_000, 8_000, f"sha256:{'a' * 64}", *LENGTHS),
        SplitStatistics("test", 100, 2_000, 1_800, None, f"sha256:{'b' * 64}", *LENGTHS),
    ),
    facts=Facts(300, 300, 3, 1, 0, 0),
    labels=(LabelCount("refund", (180, 60)), LabelCount(HOSTILE, (80, 30)), LabelCount("parcel", (40, 10))),
    more=2,
)  # fmt: skip
WARNINGS = (
    Diagnostic(
        "W103", "gemini-2.5-flash is to retire", Position(Path("specs/a.yaml"), 3, 5), "take another one"
    ),
    Diagnostic(
        "W103", "gemini-2.5-flash is to retire", Position(Path("specs/b.yaml"), 7, 5), "take another one"
    ),
)


def finding(rule: str, enforcement: Enforcement, message: str, **fields: Any) -> Finding:
    about = {"kind": "TuningJob", "name": "intents", "project": "demo", "why": "", "remedy": "", "field": ""}
    return Finding(policy="house", rule=rule, enforcement=enforcement, message=message, **{**about, **fields})


def exemption(rule: str, reason: str, expires: date) -> Exemption:
    return Exemption(f"house/{rule}", "TuningJob", "intents", reason, expires)


PILOT = exemption("gate", "a pilot until spring", date(2027, 3, 31))
OVER = exemption("tokens", "a trial", date(2026, 10, 31))
JUDGED = Judged(
    f"sha256:{'c' * 64}",
    (
        finding("keys", "deny", f"no key {HOSTILE}", why="Keys keep data ours.", field="spec.encryptionKey"),
        finding("epochs", "warn", "20 epochs; 10 are the most", remedy="set epochCount lower"),
        finding("labels", "audit", "the label cost-centre is missing", name="failed"),
        finding("gate", "deny", "no gate", exception=PILOT),
        finding("tokens", "warn", "too many", expired=OVER),
    ),
    (Unjudged("house", "cost", "TuningJob", "running", "demo", ("cost.tokensHigh",)),),
    ("specs: 5 rules, sha256:1", "shared/policies: 1 rule, sha256:2"),
)


def report(*scenes: Scene, judged: Judged | None = None, made: datetime = MADE, **fields: Any) -> Report:
    """A report of these scenes, each a project."""
    parts = tuple(project_part(scene.looked(used={"intents": "intents"}), PRICES) for scene in scenes)
    values = {"specs": "specs", "place": "the emulator on this machine", "version": "0.0.0", **fields}
    return Report(made=made, projects=parts, judged=judged, **values)


def everything() -> Report:
    """All of it: what the golden page shows."""
    scene = Scene()
    for add in (good, drifted, missed, failed, cancelled, running, unresolved, vanished, strange, left_over):
        add(scene)
    scene.tuning("waiting")
    first = project_part(scene.looked(datasets=(DATA,), used={"intents": "intents"}), PRICES)
    second = replace(report(Scene()).projects[0], name="empty")
    return Report(
        made=MADE,
        specs="specs",
        place="the emulator on this machine",
        version="0.0.0",
        emulated=True,
        projects=(first, second),
        judged=JUDGED,
        warnings=WARNINGS,
    )
