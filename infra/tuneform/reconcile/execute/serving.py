"""Serving: gate, deploy beside what serves, check, switch the traffic once, undeploy the old.

Each step is found done or not done by looking, so that a promotion that was cut off anywhere goes on from there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tuneform.errors import AlreadyExists, LedgerConflict, ReconcileError, Retryable, Terminal
from tuneform.reconcile.actions import Promote
from tuneform.reconcile.desired import Serving
from tuneform.reconcile.execute.attempts import Attempts
from tuneform.reconcile.execute.gate import Measuring, measure_all, missed
from tuneform.reconcile.execute.retire import clear_endpoint
from tuneform.reconcile.ledger import GateResult, Pointer, Record, Verdict
from tuneform.reconcile.live import OWNER_LABEL, Checkpoint, Endpoint, Job
from tuneform.reconcile.observe import ObservedServing
from tuneform.reconcile.plan.fields import desired_endpoint
from tuneform.reconcile.plan.serving import asked
from tuneform.reconcile.ports import Ports

GREETING = {"contents": [{"role": "user", "parts": [{"text": "ping"}]}]}
"""Asked of a checkpoint on an endpoint of its own before it may serve: whatever it answers, it answers."""


@dataclass(frozen=True)
class Promotion:
    """One served model and what was seen of it."""

    ports: Ports
    serving: Serving
    observed: ObservedServing
    attempts: Attempts

    def create_endpoint(self) -> None:
        """Make the serving endpoint; one that another run of ours made meanwhile is fine."""
        self._create(desired_endpoint(self.serving))

    def _create(self, wanted: Endpoint) -> None:
        try:
            self.ports.writer.create_endpoint(wanted, kms_key=self.serving.kms_key)
        except AlreadyExists as error:
            live = self.ports.reader.endpoint(wanted.name)
            if live is None:
                raise Retryable(f"{wanted.name} exists and cannot be read yet") from error
            if live.labels.get(OWNER_LABEL) != self.serving.project.owner:
                raise

    def promote(self, action: Promote, job: Job) -> None:
        """Gate, deploy, switch, record.

        Raises:
            ReconcileError: the gate was not passed; what served goes on serving.
        """
        checkpoint = next((c for c in job.checkpoints if c.id == action.checkpoint), None)
        checkpoint = checkpoint or Checkpoint(action.checkpoint, 0, 0, job.endpoint)
        if action.gated:
            self.measure(job, checkpoint)
            own = checkpoint.endpoint or job.endpoint
            if own and self.ports.reader.endpoint(own) is not None:
                self.ports.writer.ask(own, GREETING)
        if self.serving.pointer:
            self._point(job, checkpoint)
            self._record(job, checkpoint)
        else:
            deployed = self._switch(job, checkpoint)
            self._record(job, checkpoint)
            self._undeploy_others(self.serving.endpoint, deployed)
        clear_endpoint(self.ports, self.serving.candidate)

    def _record(self, job: Job, checkpoint: Checkpoint) -> None:
        """Remember what got the traffic, unless that is remembered already: its time is that of the switch."""
        before = self.observed.tuning.promoted
        if before is None or (before.revision, before.served) != (job.revision, checkpoint.id):
            self.attempts.change(job.revision, promoted=self.ports.ledger.now(), served=checkpoint.id)

    def measure(self, job: Job, checkpoint: Checkpoint) -> None:
        """Measure what the gate asks for, and keep numbers and verdict; kept ones are not measured again.

        Raises:
            ReconcileError: the gate is not passed.
        """
        gate = self.serving.gate
        found = self.attempts.find(job.revision)
        assert found is not None, "only recorded jobs are promoted"
        fingerprint = asked(self.serving, checkpoint)
        known = found.record.verdict
        if known is None or known.asked != fingerprint:
            record, results = measure_all(found.record, gate, checkpoint, self._measuring(job, checkpoint))
            reasons = missed(gate, results, self._baseline(job) if gate.no_worse_than_serving else ())
            known = Verdict(fingerprint, not reasons, "; ".join(reasons))
            for result in results:
                self.ports.listener.say(self.serving.identity, f"gate: {result.metric} {result.value:.4g}")
            self.attempts.write(replace(found, record=replace(record, verdict=known)))
        if not known.passed:
            raise ReconcileError(
                f"{job.revision} did not pass its gate: {known.reason}. What served before goes on serving",
                remedy="improve the data or the hyperparameters, or lower the gate if it asks too much",
            )

    def _measuring(self, job: Job, checkpoint: Checkpoint) -> Measuring:
        endpoint: list[str] = []

        def where() -> str:
            if not endpoint:
                endpoint.append(self._own_endpoint(job, checkpoint))
            return endpoint[0]

        if self.serving.gate.exact_match_at_least is not None or self.serving.gate.no_worse_than_serving:
            where()  # once, before questions are asked side by side
        return Measuring(
            test=self.serving.test,
            read=self.ports.objects.read,
            curves=lambda: self.ports.reader.curves(job),
            ask=lambda request: self.ports.writer.ask(where(), request),
        )

    def _own_endpoint(self, job: Job, checkpoint: Checkpoint) -> str:
        """An endpoint that this checkpoint alone answers on: Vertex's, the serving one, or one made for the gate."""
        name = checkpoint.endpoint or job.endpoint
        if name and self.ports.reader.endpoint(name) is not None:
            return name
        serving = self.observed.endpoint
        if serving is not None and serving.serves(job.model, checkpoint.id):
            return serving.name
        candidate = self.ports.reader.endpoint(self.serving.candidate)
        if candidate is None:
            self._create(replace(desired_endpoint(self.serving), name=self.serving.candidate))
            candidate = self.ports.reader.endpoint(self.serving.candidate)
        if candidate is None or not candidate.serves(job.model, checkpoint.id):
            for old in candidate.deployed if candidate else ():
                self.ports.writer.undeploy(self.serving.candidate, old.id)
            self.ports.writer.deploy(self.serving.candidate, job.model, checkpoint.id, traffic={"0": 100})
        return self.serving.candidate

    def _baseline(self, job: Job) -> tuple[GateResult, ...]:
        """The same measurements of what serves now; none when nothing else does."""
        before = self.observed.tuning.promoted
        if before is None or before.revision == job.revision or before.last is None:
            return ()
        served = self.observed.tuning.job(before.last.job)
        found = self.attempts.find(before.revision)
        if served is None or found is None or not found.record.kept:
            return ()
        chosen = next(
            (c for c in served.checkpoints if c.id == before.served), Checkpoint(before.served, 0, 0)
        )
        record, results = measure_all(
            found.record, self.serving.gate, chosen, self._measuring(served, chosen)
        )
        self.attempts.change(before.revision, gates=record.gates)
        return results

    def _switch(self, job: Job, checkpoint: Checkpoint) -> str:
        """Deploy beside what serves, then switch the traffic in one call; the deployed id."""
        name = self.serving.endpoint
        live = self.ports.reader.endpoint(name)
        if live is None:
            raise Retryable(f"{name} cannot be read yet", retry_after=1.0)
        held = live.holding(job.model, checkpoint.id)
        if held is None:
            traffic = {d.id: d.traffic for d in live.deployed if d.traffic} or {"0": 100}
            deployed = self.ports.writer.deploy(name, job.model, checkpoint.id, traffic=traffic)
        else:
            deployed = held.id
        try:
            if held is None or held.traffic != 100:
                self.ports.writer.set_traffic(name, {deployed: 100})
            self.ports.writer.ask(name, GREETING)
        except Terminal as refused:
            after = self.ports.reader.endpoint(name)
            if after is None or all(d.id != deployed for d in after.deployed):
                raise LedgerConflict(f"someone else is changing {name}") from refused
            raise
        return deployed

    def _undeploy_others(self, name: str, deployed: str) -> None:
        """Undeploy what has no traffic any more. The service itself refuses to undeploy what still has some."""
        after = self.ports.reader.endpoint(name)
        traffic = {d.id: d.traffic for d in after.deployed} if after else {}
        if traffic.get(deployed) != 100:
            raise LedgerConflict(f"someone else is changing {name}")
        for other in sorted(traffic.keys() - {deployed}):
            self.ports.writer.undeploy(name, other)

    def _point(self, job: Job, checkpoint: Checkpoint) -> None:
        endpoint = checkpoint.endpoint or job.endpoint
        if not endpoint or self.ports.reader.endpoint(endpoint) is None:
            raise ReconcileError(
                f"checkpoint {checkpoint.id} of {job.revision} has no endpoint to point to",
                remedy="use serving: endpoint; or change the recipe, and the new revision has its own",
            )
        self.ports.writer.ask(endpoint, GREETING)
        before = self.observed.pointer
        pointer = Pointer(
            self.serving.project.name,
            self.serving.name,
            endpoint,
            job.revision,
            job.model,
            checkpoint.id,
            before.generation if before else 0,
        )
        self.ports.ledger.point(self.serving.project, pointer)


def results_of(record: Record, checkpoint: str) -> tuple[GateResult, ...]:
    """What is kept of one checkpoint's measurements."""
    return tuple(result for result in record.gates if result.checkpoint == checkpoint)
