"""An editor's YAML language server, as it is published, over our example and the schema that the example names."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.functional.npm import installed

from tuneform.specs.text.files import spec_files

pytestmark = pytest.mark.timeout(240)
ROOT = Path(__file__).parents[3]
SPECS = ROOT / "specs"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def server() -> list[str]:
    """The command that runs it, installed once a checkout."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed: an editor brings its own")
    package = Path(__file__).with_name("package.json")
    script = installed("editor", package, "yaml-language-server/bin/yaml-language-server")
    return [node, str(script), "--stdio"]


class Editor:
    """As much of an editor as it takes: it opens files, and asks what is wrong and what may be written."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._asked = 0
        self._told: list[Json] = []
        abilities = {"textDocument": {"completion": {}}, "workspace": {"configuration": True}}
        self.ask("initialize", {"processId": None, "rootUri": SPECS.as_uri(), "capabilities": abilities})
        self._send({"method": "initialized", "params": {}})

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def open(self, path: Path, text: str) -> list[Json]:
        """What is underlined in a file."""
        path.write_text(text, encoding="utf-8")
        document = {"uri": path.as_uri(), "languageId": "yaml", "version": 1, "text": text}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        while True:
            for told in self._told:
                params = told["params"]
                if told["method"] == "textDocument/publishDiagnostics" and params["uri"] == path.as_uri():
                    self._told.remove(told)
                    found: list[Json] = params["diagnostics"]
                    return found
            self._hear(self._receive())

    def proposals(self, path: Path, line: int, column: int) -> set[str]:
        """What may be written at a place, counted from 0."""
        place = {"textDocument": {"uri": path.as_uri()}, "position": {"line": line, "character": column}}
        return {item["label"] for item in self.ask("textDocument/completion", place)["items"]}

    def ask(self, method: str, params: Json) -> Any:
        self._asked += 1
        self._send({"id": self._asked, "method": method, "params": params})
        while True:
            message = self._receive()
            if message.get("id") == self._asked and "method" not in message:
                return message.get("result")
            self._hear(message)

    def _hear(self, message: Json) -> None:
        if "id" not in message:
            self._told.append(message)
            return
        settings = {"validate": True, "completion": True, "schemaStore": {"enable": False}}
        items = message["params"].get("items", []) if message["method"] == "workspace/configuration" else []
        answers = [settings if item["section"] == "yaml" else None for item in items]
        self._send({"id": message["id"], "result": answers or None})

    def _send(self, message: Json) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._process.stdin.flush()

    def _receive(self) -> Json:
        assert self._process.stdout is not None
        length = 0
        while header := self._process.stdout.readline().strip():
            name, _, value = header.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        assert length, "the server has ended"
        message: Json = json.loads(self._process.stdout.read(length))
        return message


@pytest.fixture
def editor(server: list[str]) -> Iterator[Editor]:
    opened = Editor(server)
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(SPECS / "tuneform.schema.json", tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", [path.name for path in spec_files(SPECS)[0]])
def test_nothing_of_the_example_is_underlined(editor: Editor, folder: Path, name: str) -> None:
    assert editor.open(folder / name, (SPECS / name).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("old", "new", "begin"),
    [
        ("epochCount: 8", "epochs: 8", "Property epochs is not allowed."),
        ("kind: TuningJob", "kind: TuningJb", 'Value is not accepted. Valid values: "Project", '),
        ("ADAPTER_SIZE_SIXTEEN", "SIXTEEN", 'Value is not accepted. Valid values: "ADAPTER_SIZE_ONE", '),
        (
            "dataset: {ref: support-intents}",
            "dataset: support-intents",
            'Incorrect type. Expected "DatasetRef".',
        ),
        ("  name: support-intents", "  name: Support", "this is not a name: at most 23"),
    ],
)
def test_what_is_wrong_is_underlined_where_it_stands(
    editor: Editor, folder: Path, old: str, new: str, begin: str
) -> None:
    text = (SPECS / "support-intents.yaml").read_text(encoding="utf-8")
    assert old in text
    wrong = text.replace(old, new, 1)
    found = editor.open(folder / "a.yaml", wrong)

    (line,) = [number for number, one in enumerate(wrong.splitlines()) if one not in text.splitlines()]
    (problem,) = found
    assert problem["range"]["start"]["line"] == line
    assert problem["message"].startswith(begin)


def test_it_proposes_the_fields_that_are_left_and_the_choices(editor: Editor, folder: Path) -> None:
    text = (SPECS / "support-intents.yaml").read_text(encoding="utf-8")
    lines = text.splitlines()
    place = next(number for number, line in enumerate(lines) if "epochCount" in line)
    lines[place] = "    "
    editor.open(folder / "fields.yaml", "\n".join(lines))
    size = next(number for number, line in enumerate(lines) if "adapterSize" in line)
    lines[size] = "    adapterSize: "
    editor.open(folder / "choices.yaml", "\n".join(lines))

    assert editor.proposals(folder / "fields.yaml", place, 4) == {"epochCount", "beta"}
    assert "ADAPTER_SIZE_FOUR" in editor.proposals(folder / "choices.yaml", size, len(lines[size]))


SEVERAL = """\
# yaml-language-server: $schema=tuneform.schema.json
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata: {name: intents, projects: [dev, prod]}
spec:
  baseModel: gemini-2.5-flash
in:
  dev:
    dataset: {ref: small}
    hyperParameters:
      epochCount: 1
  prod: {dataset: {ref: intents}, limits: null}
"""


def test_what_differs_in_a_project_is_known_like_spec(editor: Editor, folder: Path) -> None:
    assert editor.open(folder / "sound.yaml", SEVERAL) == []

    (problem,) = editor.open(folder / "wrong.yaml", SEVERAL.replace("epochCount: 1", "epochs: 1"))
    assert (problem["range"]["start"]["line"], problem["message"]) == (10, "Property epochs is not allowed.")
    (alone,) = editor.open(folder / "alone.yaml", SEVERAL.replace("projects: [dev, prod]", "project: dev"))
    assert alone["message"] == 'Missing property "projects".'

    lines = SEVERAL.splitlines()
    lines[10] = "      "
    editor.open(folder / "fields.yaml", "\n".join(lines))
    assert "epochCount" in editor.proposals(folder / "fields.yaml", 10, 6)
