"""`tuneform apply --watch`: it follows the specs and what is live, tells how it is, and ends when it is told to."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from .conftest import Shop, until

FLAGS = ("apply", "--watch", "--yes", "--interval", "0.3", "--listen", "127.0.0.1:0")


@dataclass
class Watcher:
    """A loop at work and the lines that it wrote so far."""

    process: subprocess.Popen[str]
    lines: list[dict[str, Any]] = field(default_factory=list)

    def read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def event(self, event: str, **fields: Any) -> dict[str, Any]:
        """The first line of that event with these fields, once there is one."""
        found: dict[str, Any] = until(
            lambda: next(
                (
                    line
                    for line in list(self.lines)
                    if line["event"] == event and fields.items() <= line.items()
                ),
                None,
            ),
            f"{event} {fields} in {self.lines}",
        )
        return found

    @property
    def address(self) -> str:
        return str(self.event("watching")["address"])

    def metric(self, name: str) -> float:
        text = requests.get(f"{self.address}/metrics", timeout=10).text
        return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))


@contextmanager
def watching(shop: Shop) -> Iterator[Watcher]:
    with shop.running(*FLAGS) as process:
        watcher = Watcher(process)
        reading = threading.Thread(target=watcher.read)
        reading.start()
        try:
            yield watcher
        finally:
            process.kill()
            reading.join()


def test_it_tunes_what_is_written_while_it_watches_and_outlives_bad_specs(shop: Shop) -> None:
    with watching(shop) as watcher:
        watcher.event("done", kind="TunedModel", name="colours", action="promote", project="shop")
        until(lambda: watcher.metric('tuneform_jobs{state="SUCCEEDED"}') == 1, "a job is counted")

        path = shop.folder / "specs" / "broken.yaml"
        path.write_text("kind: [")
        refused = watcher.event("specs-refused")
        assert refused["level"] == "warning"
        assert "broken.yaml" in refused["message"]
        rounds = watcher.metric("tuneform_rounds_total")
        until(lambda: watcher.metric("tuneform_rounds_total") > rounds, "the last sound specs are followed")
        path.unlink()

        shop.write("shades", epochs=1)
        watcher.event("done", kind="TunedModel", name="shades", action="promote")

        well = requests.get(f"{watcher.address}/healthz", timeout=10)
        assert (well.status_code, well.json()["status"]) == (200, "ok")
        assert watcher.metric('tuneform_actions_total{action="Create"}') == 2
        assert watcher.metric("tuneform_last_success_timestamp_seconds") > 0
        assert watcher.metric("tuneform_look_seconds_count") > 0
        assert requests.get(f"{watcher.address}/other", timeout=10).status_code == 404

        watcher.process.send_signal(signal.SIGTERM)
        assert watcher.process.wait(20) == 0
        watcher.event("stopped")
    assert len(shop.live("tuningJobs")) == 2


def test_drift_is_repaired_each_time(served: Shop) -> None:
    with watching(served) as watcher:
        watcher.event("plan", unchanged=3)
        for _ in range(2):
            (endpoint,) = [e for e in served.live("endpoints") if e["name"].endswith("/colours")]
            path = f"/v1/{endpoint['name']}?updateMask=displayName"
            assert served.emulator.call("PATCH", path, json={"displayName": "mine now"}).ok
            until(
                lambda: all(e["displayName"] == "colours" for e in served.live("endpoints")),
                "the name is put back",
            )


def test_a_look_that_fails_is_repeated_and_told_of(served: Shop) -> None:
    with watching(served) as watcher:
        watcher.event("plan", unchanged=3)
        (order,) = served.control.order(
            {
                "calls": {"route": ".../tuningJobs", "method": "GET", "times": 0},
                "effect": {"kind": "permission", "message": "not any more"},
            }
        )

        failed = watcher.event("look-failed")
        assert "not any more" in failed["message"]
        until(lambda: requests.get(f"{watcher.address}/healthz", timeout=10).status_code == 503, "it says so")
        assert "not any more" in requests.get(f"{watcher.address}/healthz", timeout=10).json()["reason"]
        assert watcher.metric(f'tuneform_failures_total{{code="{failed["code"]}"}}') >= 1

        served.control.take_back(order)
        until(lambda: requests.get(f"{watcher.address}/healthz", timeout=10).ok, "it is well again")


def test_what_failed_is_told_once_and_recovers_when_somebody_changes_something(shop: Shop) -> None:
    shop.control.order(
        {"jobs": {"phase": "tuning"}, "effect": {"kind": "failed", "code": 3, "message": "bad data"}}
    )
    with watching(shop) as watcher:
        failed = watcher.event("failed", kind="TuningJob", name="colours")
        assert "bad data" in failed["message"]
        assert failed["remedy"]
        shop.write("colours", epochs=3)
        watcher.event("done", kind="TunedModel", name="colours", action="promote")

    assert len(shop.live("tuningJobs")) == 2


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("apply", "--watch"), "--yes"),
        (("apply", "--watch", "--yes", "--listen", "nowhere"), "HOST:PORT"),
        (("apply", "--watch", "--yes", "missing"), "missing"),
    ],
)
def test_what_it_cannot_begin_with_is_refused(shop: Shop, arguments: tuple[str, ...], named: str) -> None:
    ended = shop.run(*arguments)

    assert ended.code == 1
    assert named in ended.err
    assert shop.live("tuningJobs") == []


def test_a_taken_port_is_said(shop: Shop) -> None:
    port = shop.emulator.endpoint.rpartition(":")[2]

    ended = shop.run("apply", "--watch", "--yes", "--listen", f"127.0.0.1:{port}")

    assert ended.code == 1
    assert "error[E400]: --listen" in ended.err
