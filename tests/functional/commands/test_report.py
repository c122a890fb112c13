"""`tuneform report`: a page and its pictures from what is live, of which nothing is changed."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import yaml

from .conftest import HEAD, Shop
from .test_policies import write

PRICES = """\
[prices."gemini-2.5-flash"]
training = 5
currency = "USD"
unit = "per million training tokens"
source = "a test"
date = 2026-06-01
"""


def text(page: Path) -> str:
    """What a page says."""
    body = page.read_text(encoding="utf-8").partition("<body>")[2]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


def test_what_serves_is_shown_with_curves_gate_data_cost_and_later_its_drift(served: Shop) -> None:
    (served.folder / "prices.toml").write_text(PRICES)
    before = len(served.changes())
    ended = served.does("report", "--out", "out/", "--png", "out/curves", "--prices", "prices.toml")

    assert ended.out.splitlines() == [
        "out/tuneform-report.html",
        "out/curves/shop.colours.loss.png",
        "out/curves/shop.colours.accuracy.png",
    ]
    wanted = served.live("tuningJobs")[0]["labels"]["tuneform-revision"]
    said = text(served.folder / "out" / "tuneform-report.html")
    assert f"Wanted revision {wanted}" in said
    assert "✓ serving" in said
    assert "Loss of colours. Training: " in said
    assert "chosen, serves now" in said
    assert "training 24 about" in said
    assert re.search(r"Billed so far: [\d,]+ tokens, 0\.\d\d USD\.", said)
    assert "In agreement" in said
    assert "It is not Gemini" in said
    assert "No policies were judged." in said
    (picture,) = (served.folder / "out").glob("curves/*.loss.png")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in (served.folder / "out").iterdir() if path.name.startswith(".")] == []
    assert len(served.changes()) == before

    endpoint = served.live("endpoints")[0]["name"]
    changed = {"displayName": "somebody's"}
    assert served.emulator.call("PATCH", f"/v1/{endpoint}?updateMask=displayName", json=changed).ok
    served.does("report", "--out", "drift.html")
    assert "displayName somebody's → colours" in text(served.folder / "drift.html")


def add_annex(shop: Shop) -> None:
    """A second project with nothing in it; what there is says that it is in the first."""
    for file in (shop.folder / "specs").glob("*.yaml"):
        documents = list(yaml.safe_load_all(file.read_text()))
        for one in documents:
            if one["kind"] != "Project":
                one["metadata"]["project"] = "shop"
        file.write_text(yaml.safe_dump_all(documents))
    spec = {"projectId": "tuneform-annex", "location": "us-central1", "owner": "ml-team"}
    annex = {**HEAD, "kind": "Project", "metadata": {"name": "annex"}, "spec": spec}
    (shop.folder / "specs" / "annex.yaml").write_text(yaml.safe_dump(annex))


def test_before_anything_is_live_it_says_of_all_projects_what_is_in_the_way(empty: Shop) -> None:
    write(empty)
    add_annex(empty)
    ended = empty.does("report")

    assert ended.out == "tuneform-report.html\n"
    said = text(empty.folder / "tuneform-report.html")
    annex, shop = said.index("No tuning is declared, and none is live."), said.index("Wanted revision")
    assert annex < said.index("Drift: what differs from the specs of annex") < shop
    assert "✗ blocked" in said
    assert "Remedy: run `tuneform up`" in said
    assert "No curve is recorded so far." in said
    assert "What is still to be done: About" in said
    assert "Policy : 1 finding that blocks" in said
    assert "house/epochs ✗ deny TuningJob colours in shop" in said
    assert "2 epochs; 1 are the most" in said
