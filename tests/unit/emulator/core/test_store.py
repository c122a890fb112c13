from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tuneform_emulator.store import Exists, NotFound, Store


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store(None)
    yield made
    made.close()


def test_documents_are_kept_by_kind_and_name(store: Store) -> None:
    store.create("bucket", "a", {"n": 1})
    store.create("key", "a", {"n": 2})
    assert store.get("bucket", "a") == {"n": 1}
    assert store.get("bucket", "b") is None
    with pytest.raises(Exists):
        store.create("bucket", "a", {"n": 3})
    assert store.delete("bucket", "a")
    assert not store.delete("bucket", "a")
    assert store.get("key", "a") == {"n": 2}


def test_a_document_read_is_not_the_one_kept(store: Store) -> None:
    store.create("x", "a", {"list": [1]})
    read = store.get("x", "a")
    assert read is not None
    read["list"].append(2)
    assert store.get("x", "a") == {"list": [1]}


def test_an_update_returns_what_it_wrote_and_a_failed_one_writes_nothing(store: Store) -> None:
    store.create("x", "a", {"n": 1})
    assert store.update("x", "a", lambda doc: {**doc, "n": doc["n"] + 1}) == {"n": 2}

    def fail(doc: dict[str, Any]) -> dict[str, Any]:
        store.create("x", "b", {})
        raise ValueError(str(doc))

    with pytest.raises(ValueError, match="2"):
        store.update("x", "a", fail)
    assert store.get("x", "a") == {"n": 2}
    assert store.get("x", "b") is None
    with pytest.raises(NotFound):
        store.update("x", "nothing", lambda doc: doc)


def test_lists_are_by_prefix_in_the_order_of_names_or_of_creation(store: Store) -> None:
    for name in ("p/b", "p/a", "q/a", "p", "p/ü", "p%"):
        store.create("x", name, {})
    store.create("y", "p/c", {})
    assert [name for name, _ in store.list("x", "p/")] == ["p/a", "p/b", "p/ü"]
    assert [name for name, _ in store.list("x", "p/", order="created")] == ["p/b", "p/a", "p/ü"]
    assert len(store.list("x")) == store.count("x") == 6
    assert store.count("x", "p/") == 3


def test_the_newest_come_first_and_go_on_before_a_number(store: Store) -> None:
    for name in ("a/3", "b/9", "a/1", "a/2"):
        store.create("thing", name, {"name": name})
    first = store.newest("thing", "a/", limit=2)
    assert [doc["name"] for _, doc in first] == ["a/2", "a/1"]
    store.create("thing", "a/4", {"name": "a/4"})
    rest = store.newest("thing", "a/", before=first[-1][0], limit=2)
    assert [doc["name"] for _, doc in rest] == ["a/3"]
    assert store.newest("other", limit=2) == []


def test_blobs_are_bytes_under_a_key(store: Store) -> None:
    store.put_blob("a", b"\x00\xff")
    store.put_blob("a", b"\x00\xfe")
    assert store.get_blob("a") == b"\x00\xfe"
    assert store.delete_blob("a")
    assert not store.delete_blob("a")
    assert store.get_blob("a") is None


def break_half_way(store: Store, name: str) -> None:
    with store.transaction():
        store.create("x", name, {})
        store.put_blob(name, b"1")
        raise RuntimeError("half-way")


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError, match="half-way"):
        break_half_way(store, "a")
    assert store.get("x", "a") is None
    assert store.get_blob("a") is None


def test_an_inner_transaction_that_fails_leaves_the_outer_one_alone(store: Store) -> None:
    with store.transaction():
        store.create("x", "outer", {})
        with pytest.raises(RuntimeError, match="half-way"):
            break_half_way(store, "inner")
        store.create("x", "after", {})
    assert [name for name, _ in store.list("x")] == ["after", "outer"]


def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    store = Store(tmp_path / "deep" / "e.db")
    store.create("x", "a", {"n": 1})
    store.put_blob("b", b"1")
    assert [store.next_id("s"), store.next_id("s"), store.next_id("t")] == [1, 2, 1]
    store.close()

    again = Store(tmp_path / "deep" / "e.db")
    assert again.get("x", "a") == {"n": 1}
    assert again.get_blob("b") == b"1"
    assert again.next_id("s") == 3
    again.close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "e.db"
    other.write_bytes(b"not a database at all" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        Store(other)
    assert other.read_bytes() == b"not a database at all" * 100


def test_threads_that_count_lose_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "e.db")
    store.create("x", "a", {"n": 0})
    seen: list[int] = []

    def count() -> None:
        for _ in range(50):
            store.update("x", "a", lambda doc: {"n": doc["n"] + 1})
            seen.append(store.next_id("s"))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get("x", "a") == {"n": 200}
    assert sorted(seen) == list(range(1, 201))
    store.close()
