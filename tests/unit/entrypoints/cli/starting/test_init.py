"""`tuneform init`: what it writes is sound, whatever it was told; nothing that is there is written over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

import pytest
from click.testing import CliRunner, Result

from tuneform.entrypoints.cli.main import cli
from tuneform.errors import DatasetErrors, SettingsError
from tuneform.specs import Dataset, Project, TunedModel, TuningJob, load
from tuneform.specs.kinds import SpecModel

Kind = TypeVar("Kind", bound=SpecModel)

FLAGS = ("--yes", "--project-id", "my-project", "--owner", "ml-team", "--name", "words")
PAIRS = [(f"question {number}", f"answer {number % 3}") for number in range(40)]
FILES = {
    "a.csv": ("csv", "text_input,output\n" + "".join(f"{q},{a}\n" for q, a in PAIRS)),
    "b.csv": ("csv", "what,why\n" + "".join(f"{q},{a}\n" for q, a in PAIRS)),
    "c.jsonl": ("gemini-pairs", "".join(json.dumps({"text_input": q, "output": a}) + "\n" for q, a in PAIRS)),
    "d.json": ("gemini-pairs", json.dumps(PAIRS)),
    "e.jsonl": (
        "vertex-jsonl",
        "".join(
            json.dumps(
                {"contents": [{"role": r, "parts": [{"text": t}]} for r, t in (("user", q), ("model", a))]}
            )
            + "\n"
            for q, a in PAIRS
        ),
    ),
}
WIDE = "id,text,intent\n" + "".join(f"{n},{q},{a}\n" for n, (q, a) in enumerate(PAIRS))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNEFORM_TODAY", "2026-11-21")


def init(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(cli, ["init", *arguments], input=typed)


def the(kind: type[Kind], folder: str = "specs") -> Kind:
    (document,) = load(Path(folder)).of(kind)
    return document.spec


@pytest.mark.parametrize("file", FILES)
def test_the_format_of_the_examples_is_found_and_the_folder_is_sound(file: str) -> None:
    form, text = FILES[file]
    Path(file).write_text(text)

    result = init(*FLAGS, "--data", file)

    assert result.exit_code == 0, result.output
    assert "specs: 5 documents, nothing is wrong" in result.output
    assert "tuneform up" in result.output
    dataset = the(Dataset)
    assert (dataset.format, dataset.training.file) == (form, f"data/{file}")
    assert Path("specs", "data", file).read_text() == text
    assert the(TunedModel).checkpoint == "best"


def test_without_examples_there_are_two_to_replace_and_no_split() -> None:
    assert init(*FLAGS).exit_code == 0

    assert len(the(Dataset).training.examples or ()) == 2
    assert the(Dataset).split is None
    assert the(TunedModel).checkpoint == "last"


def test_what_documents_say_of_the_model_decides_what_is_offered() -> None:
    assert init(*FLAGS).exit_code == 0

    assert the(TuningJob).base_model == "gemini-3.5-flash", "the first that has not retired"
    assert (the(Project).location, the(Project).serving_location) == ("us-central1", "us")

    assert init(*FLAGS, "other", "--model", "gemini-9-flash", "--location", "asia-east1").exit_code == 0
    assert the(Project, "other").serving_location == "asia-east1"


def test_every_document_names_the_schema_that_lies_beside_it() -> None:
    init(*FLAGS)

    for file in Path("specs").glob("*.yaml"):
        documents = file.read_text().split("---\n")
        assert all(
            one.startswith("# yaml-language-server: $schema=tuneform.schema.json\n") for one in documents
        )
    assert json.loads(Path("specs", "tuneform.schema.json").read_text())["$schema"]


def test_questions_are_asked_again_until_the_answer_will_do() -> None:
    Path("wide.csv").write_text(WIDE)
    typed = ["gemini-2.5-pro", "mars", "us-central1", "Words!", "words", "my-project", "ml-team", "wide.csv"]

    result = init(typed="\n".join([*typed, "text", "nothing", "intent", ""]))

    assert result.exit_code == 0, result.output
    assert "Error: mars is no region" in result.output
    assert "Error: 'Words!' is not a name" in result.output
    assert "Error: 'nothing' is not one of 'id', 'text', 'intent'" in result.output
    assert (the(Dataset).columns.input, the(Dataset).columns.output) == ("text", "intent")
    assert the(TuningJob).base_model == "gemini-2.5-pro"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--yes",), "with --yes, say --project-id"),
        ((*FLAGS, "--name", "A"), "'--name': 'A' is not a name"),
        ((*FLAGS, "--project-id", "UP"), "'--project-id': 'UP' is not a project id"),
        ((*FLAGS, "--owner", "ML team"), "'--owner': 'ML team' is not a slug"),
        ((*FLAGS, "--location", "eu"), "'--location': eu is no region"),
        ((*FLAGS, "--location", "asia-east1"), "gemini-3.5-flash is tuned in"),
        ((*FLAGS, "--data", "wide.csv"), "with --yes, say --columns: two of id, text, intent"),
        ((*FLAGS, "--data", "none.csv"), "'none.csv' does not exist"),
    ],
)
def test_a_flag_that_will_not_do_is_named_and_nothing_is_written(
    arguments: tuple[str, ...], said: str
) -> None:
    Path("wide.csv").write_text(WIDE)

    result = init(*arguments)

    assert result.exit_code == 2
    assert said in result.output
    assert not Path("specs").exists()


def test_examples_that_cannot_be_used_are_told_by_line_and_nothing_is_written() -> None:
    Path("bad.csv").write_text("text_input,output\none,two\nlonely\n")

    result = init(*FLAGS, "--data", "bad.csv")

    assert isinstance(result.exception, DatasetErrors)
    assert "bad.csv:3:1: error[E232]" in result.exception.render()
    assert not Path("specs").exists()


@pytest.mark.parametrize("there", ["specs/a.yaml", "specs/deep/b.yml", "specs", "specs/data/a.csv"])
def test_what_is_there_is_left_as_it_is(there: str) -> None:
    Path("a.csv").write_text(FILES["a.csv"][1])
    Path(there).parent.mkdir(parents=True, exist_ok=True)
    Path(there).write_text("mine\n")

    result = init(*FLAGS, "--data", "a.csv")

    assert isinstance(result.exception, SettingsError)
    assert "init PATH" in result.exception.remedy
    assert [
        path for path in Path().rglob("*") if (path.is_file() and path.name != "a.csv") or path == Path(there)
    ] == [Path(there)]
    assert Path(there).read_text() == "mine\n"


@pytest.mark.parametrize("file", ["a.csv", "data/a.csv", "data/deep/a.csv"])
def test_examples_that_lie_in_the_folder_already_stay_there(file: str) -> None:
    Path("specs", file).parent.mkdir(parents=True)
    Path("specs", file).write_text(FILES["a.csv"][1])

    assert init(*FLAGS, "--data", f"specs/{file}").exit_code == 0

    assert the(Dataset).training.file == file
    assert len(list(Path("specs").rglob("a.csv"))) == 1
