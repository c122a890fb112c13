from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from google.cloud import storage
from tests.functional.emulators import Emulator

from tuneform_emulator import server
from tuneform_emulator.clock import ManualClock, WallClock
from tuneform_emulator.store import Store
from tuneform_emulator.world import World


def test_health_names_the_process(emulator: Emulator) -> None:
    answer = emulator.call("GET", "/_emulator/health").json()
    assert answer["status"] == "ok"
    assert answer["pid"] > 1
    assert answer["version"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1:80", "localhost:x"])
def test_only_loopback_hosts_are_answered(emulator: Emulator, host: str) -> None:
    answer = emulator.call("GET", "/_emulator/health", headers={"Host": host})
    assert answer.status_code == 403
    assert host in answer.json()["error"]["message"]


def test_an_unknown_route_says_what_is_not_emulated(emulator: Emulator) -> None:
    answer = emulator.call("PATCH", "/v1/projects/p/elsewhere/x:frobnicate")
    assert answer.status_code == 501
    assert answer.json() == {
        "error": {
            "code": 501,
            "status": "UNIMPLEMENTED",
            "message": "tuneform-emulator does not implement PATCH /v1/projects/p/elsewhere/x:frobnicate",
        }
    }


def test_the_usual_variable_sends_the_storage_client_here(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator.storage().create_bucket("team-data").blob("a/b").upload_from_string(b"1")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator.endpoint)
    with closing(storage.Client()) as client:
        assert client.bucket("team-data").blob("a/b").download_as_bytes() == b"1"


def test_a_large_upload_is_taken(emulator: Emulator) -> None:
    bucket = emulator.storage().create_bucket("team-data")
    data = bytes(1024) * 32 * 1024
    bucket.blob("large").upload_from_string(data)
    assert bucket.get_blob("large").size == 32 * 2**20


def test_calls_are_counted_by_route(emulator: Emulator) -> None:
    for name in ("a", "b"):
        emulator.call("GET", f"/storage/v1/b/{name}-bucket")
    assert emulator.calls()["GET /storage/v1/b/{bucket}"] == 2


def test_bad_json_is_a_400(emulator: Emulator) -> None:
    for body in (b"{", b"[]", b"\xff"):
        answer = emulator.call("POST", f"/v3/projects/{emulator.project}:setIamPolicy", data=body)
        assert answer.status_code == 400
        assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"


def test_a_body_beyond_the_limit_is_refused(emulator: Emulator) -> None:
    answer = emulator.call(
        "POST", "/upload/storage/v1/b/x/o", headers={"Content-Length": str(server.BODY_LIMIT + 1)}
    )
    assert answer.status_code == 413


def test_the_wall_clock_cannot_be_advanced(emulator: Emulator) -> None:
    answer = emulator.call("POST", "/_emulator/clock:advance", json={"seconds": 1})
    assert answer.status_code == 400
    assert "--manual-clock" in answer.json()["error"]["message"]


def test_a_manual_clock_is_advanced_by_hand() -> None:
    world = World(Store(None), ManualClock(datetime(2026, 1, 1, tzinfo=UTC)))
    with server.running(world) as endpoint:
        answer = requests.post(endpoint + "/_emulator/clock:advance", json={"seconds": 90}, timeout=10)
        refused = requests.post(endpoint + "/_emulator/clock:advance", json={"seconds": -1}, timeout=10)
    world.store.close()
    assert answer.json() == {"now": "2026-01-01T00:01:30.000000Z"}
    assert refused.status_code == 400


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    for attempt in range(2):
        store = Store(tmp_path / "emulator.db")
        with server.running(World(store, WallClock())) as endpoint:
            running = Emulator(endpoint, World(store, WallClock()))
            client = running.storage()
            if attempt == 0:
                client.create_bucket("kept-data").blob("a").upload_from_string(b"kept")
            assert client.bucket("kept-data").blob("a").download_as_bytes() == b"kept"
            assert client.bucket("kept-data").get_blob("a").media_link.startswith(endpoint)
            running.close()
        store.close()


def test_of_many_writers_at_once_one_wins_the_precondition(emulator: Emulator) -> None:
    emulator.storage().create_bucket("team-data")
    barrier = threading.Barrier(8)

    def claim(number: int) -> int:
        barrier.wait(20)
        return emulator.call(
            "POST",
            "/upload/storage/v1/b/team-data/o",
            params={"uploadType": "media", "name": "claim", "ifGenerationMatch": "0"},
            data=str(number).encode(),
        ).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(claim, range(8))) == [200] + [412] * 7
