from __future__ import annotations

import base64
import hashlib
import io

import google_crc32c
import pytest
from google.api_core import exceptions
from google.cloud import storage
from tests.functional.emulators import Emulator

TEXT = b'{"a": 1}\n{"b": 2}\r\n\r\n--boundary?'


@pytest.fixture
def bucket(emulator: Emulator) -> storage.Bucket:
    return emulator.storage().create_bucket("team-data", location="us-central1")


def versioned(bucket: storage.Bucket) -> storage.Bucket:
    bucket.versioning_enabled = True
    bucket.patch()
    return bucket


def test_what_is_uploaded_is_downloaded(bucket: storage.Bucket) -> None:
    blob = bucket.blob("sets/train ü #1?.jsonl")
    blob.metadata = {"digest": "abc"}
    blob.upload_from_string(TEXT, content_type="application/jsonl")

    found = bucket.get_blob("sets/train ü #1?.jsonl")
    assert found.download_as_bytes() == TEXT
    assert found.content_type == "application/jsonl"
    assert found.metadata == {"digest": "abc"}
    assert found.size == len(TEXT)
    assert found.md5_hash == base64.b64encode(hashlib.md5(TEXT).digest()).decode()
    assert found.crc32c == base64.b64encode(google_crc32c.value(TEXT).to_bytes(4, "big")).decode()
    assert found.metageneration == 1
    assert found.storage_class == "STANDARD"
    assert found.time_created is not None


def test_both_download_addresses_give_the_bytes(emulator: Emulator, bucket: storage.Bucket) -> None:
    bucket.blob("a/b").upload_from_string(TEXT)
    for root in ("/storage/v1", "/download/storage/v1"):
        answer = emulator.call("GET", f"{root}/b/team-data/o/a%2Fb", params={"alt": "media"})
        assert answer.content == TEXT
        assert answer.headers["x-goog-hash"].startswith("crc32c=")


def test_a_range_is_a_part(emulator: Emulator, bucket: storage.Bucket) -> None:
    blob = bucket.blob("a")
    blob.upload_from_string(b"0123456789")
    assert blob.download_as_bytes(start=2, end=4) == b"234"
    address = "/storage/v1/b/team-data/o/a?alt=media"
    last = emulator.call("GET", address, headers={"Range": "bytes=-3"})
    assert (last.status_code, last.content, last.headers["content-range"]) == (206, b"789", "bytes 7-9/10")
    assert emulator.call("GET", address, headers={"Range": "bytes=10-"}).status_code == 416


def test_media_uploads_take_the_name_from_the_query(emulator: Emulator, bucket: storage.Bucket) -> None:
    answer = emulator.call(
        "POST",
        "/upload/storage/v1/b/team-data/o",
        params={"uploadType": "media", "name": "x/y"},
        data=b"hi",
        headers={"Content-Type": "text/plain"},
    )
    assert answer.json()["contentType"] == "text/plain"
    assert bucket.blob("x/y").download_as_bytes() == b"hi"


def test_a_resumable_upload_arrives_in_pieces(bucket: storage.Bucket) -> None:
    data = bytes(range(256)) * 4096
    blob = bucket.blob("big", chunk_size=256 * 1024)
    blob.upload_from_file(io.BytesIO(data), content_type="application/x-big")
    found = bucket.get_blob("big")
    assert found.download_as_bytes() == data
    assert found.content_type == "application/x-big"


def test_a_resumable_upload_says_how_much_it_has_and_goes_on(
    emulator: Emulator, bucket: storage.Bucket
) -> None:
    begun = emulator.call(
        "POST", "/upload/storage/v1/b/team-data/o?uploadType=resumable", json={"name": "slow"}
    )
    place = begun.headers["Location"].removeprefix(emulator.endpoint)
    first = emulator.call("PUT", place, data=b"12345", headers={"Content-Range": "bytes 0-4/8"})
    assert (first.status_code, first.headers["range"]) == (308, "bytes=0-4")
    asked = emulator.call("PUT", place, headers={"Content-Range": "bytes */8"})
    assert (asked.status_code, asked.headers["range"]) == (308, "bytes=0-4")
    gap = emulator.call("PUT", place, data=b"8", headers={"Content-Range": "bytes 7-7/8"})
    assert gap.status_code == 400
    last = emulator.call("PUT", place, data=b"678", headers={"Content-Range": "bytes 5-7/8"})
    assert (last.status_code, last.json()["size"]) == (200, "8")
    again = emulator.call("PUT", place, headers={"Content-Range": "bytes */8"})
    assert again.json()["generation"] == last.json()["generation"]
    assert bucket.blob("slow").download_as_bytes() == b"12345678"


def test_a_cancelled_resumable_upload_is_gone(emulator: Emulator, bucket: storage.Bucket) -> None:
    begun = emulator.call(
        "POST", "/upload/storage/v1/b/team-data/o?uploadType=resumable", json={"name": "slow"}
    )
    place = begun.headers["Location"].removeprefix(emulator.endpoint)
    assert emulator.call("DELETE", place).status_code == 499
    assert emulator.call("PUT", place, data=b"1").status_code == 404
    assert not bucket.blob("slow").exists()


@pytest.mark.parametrize("claim", [{"crc32c": "AAAAAA=="}, {"md5Hash": "AAAAAAAAAAAAAAAAAAAAAA=="}])
def test_a_wrong_checksum_is_refused(
    emulator: Emulator, bucket: storage.Bucket, claim: dict[str, str]
) -> None:
    begun = emulator.call(
        "POST", "/upload/storage/v1/b/team-data/o?uploadType=resumable", json={"name": "a", **claim}
    )
    place = begun.headers["Location"].removeprefix(emulator.endpoint)
    answer = emulator.call("PUT", place, data=b"something")
    assert answer.status_code == 400
    assert "doesn't match calculated" in answer.json()["error"]["message"]
    assert not bucket.blob("a").exists()


def test_creating_only_when_absent(bucket: storage.Bucket) -> None:
    blob = bucket.blob("a")
    blob.upload_from_string(b"1", if_generation_match=0)
    with pytest.raises(exceptions.PreconditionFailed, match="ifGenerationMatch=0"):
        bucket.blob("a").upload_from_string(b"2", if_generation_match=0)
    assert blob.download_as_bytes() == b"1"


def test_compare_and_swap_on_the_generation(bucket: storage.Bucket) -> None:
    blob = bucket.blob("ledger.json")
    blob.upload_from_string(b"1")
    seen = blob.generation
    bucket.blob("ledger.json").upload_from_string(b"2", if_generation_match=seen)
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.blob("ledger.json").upload_from_string(b"3", if_generation_match=seen)
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.blob("ledger.json").delete(if_generation_match=seen)
    assert bucket.blob("ledger.json").download_as_bytes() == b"2"


def test_a_read_that_need_not_happen_is_304(emulator: Emulator, bucket: storage.Bucket) -> None:
    blob = bucket.blob("a")
    blob.upload_from_string(b"1")
    address = "/storage/v1/b/team-data/o/a"
    unchanged = {"ifGenerationNotMatch": blob.generation}
    assert emulator.call("GET", address, params=unchanged).status_code == 304
    assert emulator.call("GET", address, params={**unchanged, "alt": "media"}).status_code == 304
    assert emulator.call("GET", address, params={"ifGenerationNotMatch": 1}).status_code == 200


def test_metadata_changes_count_the_metageneration_only(bucket: storage.Bucket) -> None:
    blob = bucket.blob("a")
    blob.metadata = {"x": "1", "y": "2"}
    blob.upload_from_string(b"1")
    generation = blob.generation
    blob.metadata = {"x": None, "z": "3"}
    blob.content_type = "text/csv"
    blob.patch(if_metageneration_match=1)
    found = bucket.get_blob("a")
    assert found.metadata == {"y": "2", "z": "3"}
    assert found.content_type == "text/csv"
    assert (found.generation, found.metageneration) == (generation, 2)
    with pytest.raises(exceptions.PreconditionFailed):
        found.patch(if_metageneration_match=1)


def test_versions_are_kept_where_versioning_is_on(bucket: storage.Bucket) -> None:
    versioned(bucket)
    blob = bucket.blob("a")
    blob.upload_from_string(b"1")
    first = blob.generation
    blob.upload_from_string(b"2")
    second = blob.generation
    bucket.delete_blob("a")

    assert second > first
    assert not bucket.blob("a").exists()
    listed = list(bucket.list_blobs(versions=True))
    assert [found.generation for found in listed] == [first, second]
    assert all(found.time_deleted for found in listed)
    assert bucket.blob("a", generation=first).download_as_bytes() == b"1"
    bucket.blob("a", generation=first).delete()
    assert [found.generation for found in bucket.list_blobs(versions=True)] == [second]


def test_without_versioning_the_old_generation_is_gone(bucket: storage.Bucket) -> None:
    blob = bucket.blob("a")
    blob.upload_from_string(b"1")
    first = blob.generation
    blob.upload_from_string(b"2")
    assert bucket.get_blob("a", generation=first) is None
    assert len(list(bucket.list_blobs(versions=True))) == 1


def test_a_copy_is_checked_against_its_source_and_its_target(bucket: storage.Bucket) -> None:
    source = bucket.blob("data/1.jsonl")
    source.metadata = {"digest": "abc"}
    source.upload_from_string(TEXT, content_type="application/jsonl")
    stale = source.generation - 1

    made = bucket.copy_blob(source, bucket, "attempts/1.jsonl", if_generation_match=0)
    assert made.download_as_bytes() == TEXT
    found = bucket.get_blob("attempts/1.jsonl")
    assert (found.content_type, found.metadata) == ("application/jsonl", {"digest": "abc"})
    with pytest.raises(exceptions.PreconditionFailed, match="ifGenerationMatch=0"):
        bucket.copy_blob(source, bucket, "attempts/1.jsonl", if_generation_match=0)
    with pytest.raises(exceptions.PreconditionFailed, match="ifSourceGenerationMatch"):
        bucket.copy_blob(source, bucket, "attempts/2.jsonl", if_source_generation_match=stale)
    with pytest.raises(exceptions.NotFound):
        bucket.copy_blob(source, bucket, "attempts/2.jsonl", source_generation=stale)


def test_a_rewrite_is_done_at_once(emulator: Emulator, bucket: storage.Bucket) -> None:
    other = emulator.storage().create_bucket("other-data", location="us-central1")
    source = bucket.blob("a")
    source.upload_from_string(TEXT)
    target = other.blob("b/c")
    target.content_type = "text/plain"
    assert target.rewrite(source) == (None, len(TEXT), len(TEXT))
    assert other.get_blob("b/c").content_type == "text/plain"


def test_lists_go_by_prefix_delimiter_and_page(bucket: storage.Bucket) -> None:
    for name in ("a/1", "a/2", "a/b/3", "c", "d/4", "ä"):
        bucket.blob(name).upload_from_string(b"")
    assert [found.name for found in bucket.list_blobs(prefix="a/")] == ["a/1", "a/2", "a/b/3"]
    assert [found.name for found in bucket.list_blobs(page_size=2)] == [
        "a/1",
        "a/2",
        "a/b/3",
        "c",
        "d/4",
        "ä",
    ]

    top = bucket.list_blobs(delimiter="/", page_size=2)
    assert [found.name for found in top] == ["c", "ä"]
    assert sorted(top.prefixes) == ["a/", "d/"]
    inner = bucket.list_blobs(prefix="a/", delimiter="/")
    assert [found.name for found in inner] == ["a/1", "a/2"]
    assert sorted(inner.prefixes) == ["a/b/"]


def test_what_is_not_there_is_not_found(emulator: Emulator, bucket: storage.Bucket) -> None:
    with pytest.raises(exceptions.NotFound, match="No such object: team-data/nothing"):
        bucket.blob("nothing").download_as_bytes()
    with pytest.raises(exceptions.NotFound):
        bucket.blob("nothing").delete()
    with pytest.raises(exceptions.NotFound, match="bucket does not exist"):
        emulator.storage().bucket("nowhere").blob("a").upload_from_string(b"1")


def test_what_is_not_emulated_says_so(emulator: Emulator, bucket: storage.Bucket) -> None:
    batch = emulator.call("POST", "/batch/storage/v1", data=b"")
    assert batch.status_code == 501
    assert "POST /batch/storage/v1" in batch.json()["error"]["message"]
    with pytest.raises(exceptions.MethodNotImplemented, match="predefinedAcl"):
        bucket.blob("a").upload_from_string(b"1", predefined_acl="publicRead")


def test_a_broken_multipart_body_is_a_400(emulator: Emulator, bucket: storage.Bucket) -> None:
    for body in (b"", b"--x\r\n\r\n{}\r\n--x--", b"--x\r\n\r\n{bad\r\n--x\r\n\r\nhi\r\n--x--"):
        answer = emulator.call(
            "POST",
            "/upload/storage/v1/b/team-data/o?uploadType=multipart",
            data=body,
            headers={"Content-Type": "multipart/related; boundary=x"},
        )
        assert answer.status_code == 400
    assert list(bucket.list_blobs()) == []
