"""Dataset objects: stored once, known by their digest, replaced when somebody changed them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.cloud.storage import Blob
from google.cloud.storage.exceptions import DataCorruption
from tests.functional.platforms.kit import BUCKET, RUN, Bench, connected

from tuneform.errors import NotFound, Terminal
from tuneform.platforms.vertex.storage import blobs
from tuneform.reconcile.live import Stored

URI = f"gs://{BUCKET}/datasets/x/abc.jsonl"
NAME = "datasets/x/abc.jsonl"
DATA = b'{"a": 1}\n'
DIGEST = "sha256:abc"
NOTE = "ml-platform/demo"


@pytest.fixture
def bucket(store: Bench) -> Any:
    made = store.emulator.storage().create_bucket(BUCKET, location="us-central1")
    made.versioning_enabled = True
    made.patch()
    return made


def test_an_object_is_read_in_parts_of_the_generation_that_was_looked_at(
    store: Bench, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blobs, "CHUNK", 4)
    objects = store.ports.objects
    with pytest.raises(NotFound):
        list(objects.chunks(URI))
    objects.put(URI, DATA, DIGEST, NOTE)

    parts = objects.chunks(URI)
    begun = next(parts)
    objects.put(URI, DATA + DATA, "sha256:other", NOTE)

    assert [begun, *parts] == [DATA[:4], DATA[4:8], DATA[8:]]


def test_an_object_is_stored_once_with_its_digest(store: Bench, bucket: Any) -> None:
    objects = store.ports.objects
    assert not objects.exists(URI)
    with pytest.raises(NotFound):
        objects.read(URI)
    assert objects.put(URI, DATA, DIGEST, NOTE)
    assert not objects.put(URI, DATA, DIGEST, NOTE)
    assert objects.exists(URI)
    assert objects.read(URI) == DATA
    assert objects.stored(f"gs://{BUCKET}/datasets/") == (
        Stored(URI, len(DATA), DIGEST, intact=True, note=NOTE),
    )
    assert bucket.get_blob(NAME).content_type == "application/jsonl"


def test_what_somebody_else_put_there_is_seen_and_replaced(store: Bench, bucket: Any) -> None:
    objects = store.ports.objects
    blob = bucket.blob(NAME)
    blob.upload_from_string(b"older than digests")
    assert objects.stored(URI) == (Stored(URI, 18, "", intact=True),)
    assert objects.put(URI, DATA, DIGEST, NOTE)
    noted = bucket.get_blob(NAME).metadata
    blob.metadata = noted
    blob.upload_from_string(b"changed under our note")
    assert objects.stored(URI) == (Stored(URI, 22, DIGEST, intact=False, note=NOTE),)
    assert objects.put(URI, DATA, DIGEST, NOTE)
    assert objects.put(URI, DATA + DATA, "sha256:other", NOTE)
    assert objects.read(URI) == DATA + DATA
    assert objects.stored(URI) == (Stored(URI, 2 * len(DATA), "sha256:other", intact=True, note=NOTE),)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["reset", "malformed"])
def test_an_upload_whose_answer_is_lost_is_stored_once(
    store: Bench, bucket: Any, kind: str, when: str
) -> None:
    fault = {"calls": {"method": "POST", "path": "^/upload/"}, "when": when, "effect": {"kind": kind}}
    with store.control.met(fault):
        assert store.ports.objects.put(URI, DATA, DIGEST, NOTE)
    assert len(list(bucket.list_blobs(versions=True))) == 1
    assert store.ports.objects.stored(URI)[0].intact


def test_two_runs_that_store_the_same_at_once_do_not_fight(store: Bench, bucket: Any) -> None:
    other = connected(store.emulator.endpoint, "rest", holder="host:14:other").objects
    upload = store.control.hold(method="POST", path="^/upload/", caller=f"run/{RUN}")
    with ThreadPoolExecutor(1) as pool:
        ours = pool.submit(store.ports.objects.put, URI, DATA, DIGEST, NOTE)
        store.control.held(1)
        assert other.put(URI, DATA, DIGEST, NOTE)
        store.control.remove(upload)
        ours.result()
    assert len(list(bucket.list_blobs(versions=True))) == 1


def test_an_upload_that_finds_something_else_looks_again(store: Bench, bucket: Any) -> None:
    upload = store.control.hold(method="POST", path="^/upload/", caller=f"run/{RUN}")
    with ThreadPoolExecutor(1) as pool:
        ours = pool.submit(store.ports.objects.put, URI, DATA, DIGEST, NOTE)
        store.control.held(1)
        bucket.blob(NAME).upload_from_string("something else")
        store.control.remove(upload)
        assert ours.result()
    assert store.ports.objects.read(URI) == DATA


def test_a_large_object_goes_up_whole_also_when_a_part_fails(store: Bench, bucket: Any) -> None:
    large = b"x" * (9 * 2**20)
    part = {
        "calls": {"method": "PUT", "path": "^/upload/"},
        "effect": {"kind": "status", "status": "UNAVAILABLE"},
    }
    with store.control.met(part):
        assert store.ports.objects.put(URI, large, DIGEST, NOTE)
    assert store.ports.objects.stored(URI) == (Stored(URI, len(large), DIGEST, intact=True, note=NOTE),)
    assert store.ports.objects.read(URI) == large


def test_copies_keep_the_digest_and_need_a_source(store: Bench, bucket: Any) -> None:
    objects = store.ports.objects
    objects.put(URI, DATA, DIGEST, NOTE)
    fence = f"gs://{BUCKET}/attempts/1.jsonl"
    objects.copy(URI, fence)
    objects.copy(URI, fence)
    assert objects.stored(fence) == (Stored(fence, len(DATA), DIGEST, intact=True, note=NOTE),)
    with pytest.raises(NotFound):
        objects.copy(f"gs://{BUCKET}/gone", fence)


def test_deletion_takes_all_generations_of_one_object_and_no_other(store: Bench, bucket: Any) -> None:
    objects = store.ports.objects
    for name in ("a", "a.bak"):
        for content in (b"1", b"2", b"3"):
            bucket.blob(name).upload_from_string(content)
    bucket.blob("gone").upload_from_string(b"x")
    bucket.blob("gone").delete()
    everything = tuple(f"gs://{BUCKET}/{name}" for name in ("a", "a.bak", "gone"))
    assert objects.under(f"gs://{BUCKET}/") == everything
    assert [stored.uri for stored in objects.stored(f"gs://{BUCKET}/")] == [*everything[:2]]
    objects.delete(everything[0])
    objects.delete(everything[0])
    objects.delete(everything[2])
    assert objects.under(f"gs://{BUCKET}/") == (everything[1],)


def test_in_a_bucket_that_is_not_there_nothing_is_stored(store: Bench) -> None:
    objects = store.ports.objects
    assert not objects.exists(URI)
    assert (objects.stored(URI), objects.under(URI)) == ((), ())
    objects.delete(URI)
    with pytest.raises(NotFound, match="bucket"):
        objects.put(URI, DATA, DIGEST, NOTE)


def test_what_may_not_be_looked_at_is_an_error(store: Bench, bucket: Any) -> None:
    fault = {
        "calls": {"method": "GET", "path": "/storage/v1/b/", "times": 0},
        "effect": {"kind": "permission"},
    }
    with store.control.met(fault):
        for look in (store.ports.objects.exists, store.ports.objects.stored, store.ports.objects.under):
            with pytest.raises(Terminal):
                look(URI)


def test_an_upload_that_is_refused_is_told_in_the_service_s_own_words(store: Bench, bucket: Any) -> None:
    fault = {"calls": {"method": "POST", "path": "^/upload/", "times": 0}, "effect": {"kind": "permission"}}
    with store.control.met(fault), pytest.raises(Terminal) as refused:
        store.ports.objects.put(URI, DATA, DIGEST, NOTE)
    assert refused.value.message.startswith(f"uploading {URI}: ")
    assert not any(noise in refused.value.message for noise in ("{", "http://", "Request failed"))


def test_content_that_is_not_what_its_checksum_says_is_read_again(
    store: Bench, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.ports.objects.put(URI, DATA, DIGEST, NOTE)
    real, damaged = Blob.download_as_bytes, iter([True])

    def read(blob: Blob, **options: Any) -> bytes:
        if next(damaged, False):
            raise DataCorruption(None, "Checksum mismatch while downloading:\n\n  http://somewhere")
        return bytes(real(blob, **options))

    monkeypatch.setattr(Blob, "download_as_bytes", read)

    assert store.ports.objects.read(URI) == DATA
    assert not list(damaged), "it was read twice"
