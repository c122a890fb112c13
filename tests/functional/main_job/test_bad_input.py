"""What goes wrong at a user's desk: a message with place and remedy, nothing changed, and the next `up` converges."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.functional.main_job.checkout import Checkout, Ended
from tests.functional.main_job.running import running

SPECS = {
    "project.yaml": """\
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: shop}
spec: {projectId: shop-tuning, location: us-central1, owner: shop-ml}
---
apiVersion: tuneform.dev/v1
kind: DatasetBucket
metadata: {name: data}
spec: {versioning: true}
""",
    "colours.yaml": """\
apiVersion: tuneform.dev/v1
kind: Dataset
metadata: {name: colours}
spec:
  bucket: {ref: data}
  columns: {input: text, output: colour}
  training: colours.csv
---
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata: {name: colours}
spec:
  baseModel: gemini-2.5-flash
  dataset: {ref: colours}
  hyperParameters: {epochCount: 20, adapterSize: ADAPTER_SIZE_FOUR}
---
apiVersion: tuneform.dev/v1
kind: TunedModel
metadata: {name: colours}
spec:
  job: {ref: colours}
""",
    "colours.csv": "text,colour\n"
    + "".join(
        f"{thing} number {number},{colour}\n"
        for number in range(40)
        for thing, colour in (("grass", "green"), ("sky", "blue"), ("blood", "red"))
    ),
}
JOBS = "colours.yaml"
ROWS = "colours.csv"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A user's folder, away from any project, with an emulator."""
    made = Checkout(tmp_path_factory.mktemp("shop"))
    (made.folder / "specs").mkdir()
    made.does("emulator", "start", "--port", "0")
    yield made
    made.run("emulator", "stop")


@pytest.fixture
def specs(shop: Checkout) -> Path:
    """Its specs, without the mistakes of the tests before."""
    folder = shop.folder / "specs"
    shutil.rmtree(folder)
    folder.mkdir()
    for name, text in SPECS.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def nobody(tmp_path: Path) -> dict[str, str]:
    """Settings of somebody who has never logged in anywhere."""
    (tmp_path / "home").mkdir()
    home = str(tmp_path / "home")
    return {"HOME": home, "PULUMI_HOME": home, "CLOUDSDK_CONFIG": home, "NO_GCE_CHECK": "true"}


def told(ended: Ended, *parts: str) -> None:
    """It failed, and said all of this, without a look inside."""
    assert ended.code == 1, ended.text
    assert "Traceback" not in ended.text
    for part in parts:
        assert part in ended.text, ended.text


def replaced(old: str, new: str, file: str = JOBS) -> Callable[[Path], None]:
    def change(specs: Path) -> None:
        text = (specs / file).read_text()
        assert old in text
        (specs / file).write_text(text.replace(old, new, 1))

    return change


def linked_out(specs: Path) -> None:
    (specs / ROWS).rename(specs.parent / "outside.csv")
    (specs / ROWS).symlink_to("../outside.csv")


def led_out(specs: Path) -> None:
    shutil.copy(specs / ROWS, specs.parent / "outside.csv")
    replaced("training: colours.csv", "training: ../outside.csv")(specs)


def broken_row(specs: Path) -> None:
    (specs / ROWS).write_text((specs / ROWS).read_text() + "lonely\n,green\n")


def forbidden(specs: Path) -> None:
    rule = "{name: epochs, builtin: max-epochs, params: {most: 10}}"
    head = "apiVersion: tuneform.dev/v1\nkind: Policy\nmetadata: {name: house}\n"
    (specs / "house.yaml").write_text(f"{head}spec: {{rules: [{rule}]}}\n")


MISTAKES: dict[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    "unknown field": (
        replaced("epochCount", "epochs"),
        ("specs/colours.yaml:15:21: error[E123]: unknown field 'epochs'", "did you mean 'epochCount'?"),
    ),
    "typo in a ref": (
        replaced("dataset: {ref: colours}", "dataset: {ref: colour}"),
        ("specs/colours.yaml:14:18: error[E140]: there is no Dataset 'colour'", "did you mean 'colours'?"),
    ),
    "missing file": (
        lambda specs: (specs / ROWS).unlink(),
        ("specs/colours.yaml:7:13: error[E150]: there is no file 'colours.csv'",),
    ),
    "path that leads out": (
        led_out,
        ("specs/colours.yaml:7:13: error[E151]: '../outside.csv' leads out of", "copy the file into"),
    ),
    "link that leads out": (
        linked_out,
        ("specs/colours.yaml:7:13: error[E151]: 'colours.csv' leads out of", "copy the file into"),
    ),
    "tab": (
        replaced("  bucket: {ref", "\tbucket: {ref"),
        ("specs/colours.yaml:5:1: error[E107]: a tab", "indented with spaces only"),
    ),
    "key given twice": (
        replaced("  columns:", "  bucket: {ref: data}\n  columns:"),
        ("specs/colours.yaml:6:3: error[E112]: 'bucket' is given twice", "the first one is in line 5"),
    ),
    "broken rows": (
        broken_row,
        (
            "specs/colours.csv:122:1: error[E232]: 1 field, and the header has 2",
            "specs/colours.csv:123:1: error[E224]: the input is empty",
            "goes in double quotes",
        ),
    ),
    "what a policy forbids": (
        forbidden,
        (
            "specs/colours.yaml:15:33: error[E194]: house/epochs: 20 epochs; 10 are the most",
            "set epochCount, no higher than the policy allows",
        ),
    ),
    "no epochs": (
        replaced("epochCount: 20", "epochCount: 0"),
        ("specs/colours.yaml:15:33: error[E127]: epochCount: 0 should be greater than or equal to 1",),
    ),
    "adapter that the model does not take": (
        replaced("ADAPTER_SIZE_FOUR", "ADAPTER_SIZE_THIRTY_TWO"),
        ("specs/colours.yaml:15:50: error[E160]: gemini-2.5-flash takes no", "ADAPTER_SIZE_SIXTEEN, says"),
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_at_its_place_by_check_and_up_alike(
    shop: Checkout, specs: Path, mistake: str
) -> None:
    make, parts = MISTAKES[mistake]
    make(specs)
    before = shop.counts()

    checked, applied = shop.run("check"), shop.run("up")

    told(checked, *parts)
    assert applied == checked
    assert shop.counts() == before


def test_mistakes_of_all_files_are_told_in_one_run(shop: Checkout, specs: Path) -> None:
    replaced("owner:", "ownr:", "project.yaml")(specs)
    replaced("kind: TunedModel", "kind: TunnedModel")(specs)
    replaced("epochCount: 20", "epochCount: many")(specs)
    broken_row(specs)

    told(
        shop.run("check"),
        "specs/project.yaml:4:55: error[E123]: unknown field 'ownr'",
        "specs/colours.yaml:18:7: error[E121]: 'TunnedModel' is not a kind",
        "specs/colours.yaml:15:33: error[E12",
        "specs/colours.csv:122:1: error[E232]",
    )


def test_a_refusal_and_a_killed_emulator_end_runs_clearly_and_cost_no_second_job(
    shop: Checkout, specs: Path
) -> None:
    replaced("gemini-2.5-flash", "gemini-2.5-flsh")(specs)
    told(
        shop.run("up"),
        "specs/colours.yaml:13:14: warning[W101]",
        "specs/colours.yaml:10:7: error[E530]: creating the tuning job of shop/colours: "
        "Base model gemini-2.5-flsh is not supported",
        "remedy: the service refuses",
        "mend the cause and run the same command again",
    )
    assert shop.counts()["jobs"] == 0

    replaced("gemini-2.5-flsh", "gemini-2.5-flash")(specs)
    with running(shop, "up") as up:
        up.until("RUNNING")
        record = json.loads((shop.folder / ".tuneform" / "emulator" / "emulator.json").read_text())
        os.kill(record["pid"], signal.SIGKILL)
        ended = up.ended()
    # Which call finds nobody there is a matter of the moment.
    told(
        ended, "specs/colours.yaml:10:7: error[E520]: ", "nothing answers", "`tuneform emulator start` starts"
    )
    assert len(re.findall(r"error\[", ended.text)) == 1, ended.text

    told(
        shop.run("up"),
        f"error[E400]: no emulator answers at {record['endpoint']}",
        "start it with `tuneform emulator start`",
    )

    assert "process" in shop.does("emulator", "start")
    assert "endpoints/colours" in shop.does("up")
    assert shop.counts()["jobs"] == 1
    assert shop.does("ask", "colours", "grass number 7").strip() == "green"


@pytest.mark.parametrize(
    ("endpoint", "parts"),
    [
        ("http://127.0.0.1:9", ("error[E400]: no emulator answers at http://127.0.0.1:9", "unset it")),
        ("http://10.1.2.3:8787", ("error[E300]: TUNEFORM_ENDPOINT is", "not on this machine", "unset it")),
        ("http://[", ("error[E300]: TUNEFORM_ENDPOINT is 'http://['", "tuneform emulator env")),
    ],
)
def test_an_endpoint_that_is_no_emulator_is_refused(
    shop: Checkout, specs: Path, endpoint: str, parts: tuple[str, ...]
) -> None:
    told(shop.run("up", settings={"TUNEFORM_ENDPOINT": endpoint}), *parts)


def test_without_an_emulator_up_says_how_to_start_one(shop: Checkout, specs: Path, tmp_path: Path) -> None:
    shutil.copytree(specs, tmp_path / "specs")

    ended = Checkout(tmp_path).run("up")

    told(ended, "error[E400]: the emulator is not running", "remedy: start it with `tuneform emulator start`")


def test_a_port_in_use_is_named_with_what_to_do(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        ended = Checkout(tmp_path).run("emulator", "start", "--port", str(port))

    told(ended, f"Port {port} is in use by another process", "Choose another with --port")


def test_a_google_cloud_stack_without_any_login_says_where_to_log_in(
    shop: Checkout, specs: Path, nobody: dict[str, str]
) -> None:
    told(
        shop.run("up", "--stack", "prod", settings=nobody),
        "error[E400]: the engine cannot open the stack prod: PULUMI_ACCESS_TOKEN",
        "remedy: log in to where its state is kept: `pulumi login`",
    )
    elsewhere = {**nobody, "PULUMI_BACKEND_URL": f"file://{shop.folder}", "PULUMI_CONFIG_PASSPHRASE": ""}
    told(
        shop.run("up", "--stack", "prdo", settings=elsewhere),
        "error[E300]: there is no stack prdo",
        "remedy: make it with `pulumi stack init prdo`",
    )
    told(
        shop.run("ask", "colours", "sky", "--google-cloud", settings=nobody),
        "no Google credentials were found",
        "gcloud auth application-default login",
    )


def test_what_the_command_line_does_not_know_is_told_with_the_nearest_name(shop: Checkout) -> None:
    for arguments, near in ((("upp",), "'up'"), (("up", "--stak", "prod"), "'--stack'")):
        ended = shop.run(*arguments)
        assert ended.code == 2
        assert f"Did you mean {near}?" in ended.text


def test_destroy_without_a_terminal_asks_for_the_flag_and_touches_nothing(
    shop: Checkout, specs: Path
) -> None:
    before = shop.counts()

    told(shop.run("destroy"), "error[E300]: destroy asks first", "remedy: add --yes")

    assert shop.counts() == before
