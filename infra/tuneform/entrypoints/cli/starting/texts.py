"""The files that `tuneform init` writes: documents with the comments that somebody new needs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from tuneform.entrypoints.cli.starting.answers import Answers, Data
from tuneform.specs.reference.schema import as_text

SCHEMA = "tuneform.schema.json"
ENOUGH_TO_SPLIT = 20
"""With fewer examples, a tenth of them says nothing."""
_EDITOR = f"# yaml-language-server: $schema={SCHEMA}\n"


def files(answers: Answers) -> Mapping[str, str]:
    """Texts by their path in the spec folder."""
    return {
        "project.yaml": _documents(_project(answers), _bucket()),
        f"{answers.name}.yaml": _documents(_dataset(answers), _job(answers), _served(answers)),
        SCHEMA: as_text(),
    }


def _documents(*documents: str) -> str:
    return "---\n".join(_EDITOR + document for document in documents)


def _project(answers: Answers) -> str:
    serving = ""
    if answers.serving_location != answers.location:
        serving = (
            f"  servingLocation: {answers.serving_location} # where {answers.model} serves once it is tuned\n"
        )
    return f"""\
# Where everything lives. tuneform reads every *.yaml in this folder; documents find each other by name: {{ref: name}}.
apiVersion: tuneform.dev/v1
kind: Project
metadata:
  name: main
spec:
  projectId: {_text(answers.project_id)} # your Google Cloud project
  location: {_text(answers.location)} # tuning runs here, and what is below lives here
{serving}  owner: {_text(answers.owner)} # a label on every tuning job: who to ask
  # labels: {{env: dev}} # on everything in this project
"""


def _bucket() -> str:
    return """\
# The bucket for training data. Public access is off and versions are kept, because nothing here says otherwise.
apiVersion: tuneform.dev/v1
kind: DatasetBucket
metadata:
  name: data
spec:
  lifecycle:
    - {age: 30, numNewerVersions: 3} # versions that three newer ones replaced go after 30 days
"""


def _dataset(answers: Answers) -> str:
    return f"""\
# The examples. They are checked, converted and uploaded under the hash of their content.
apiVersion: tuneform.dev/v1
kind: Dataset
metadata:
  name: {_text(answers.name)}
spec:
  bucket: {{ref: data}}
{"".join(_examples(answers.data))}\
  # task: classification # what the examples teach
  # preamble: Name the intent of the message. # in front of every example, and of every question afterwards
"""


def _examples(data: Data | None) -> Iterator[str]:
    if data is None:
        yield "  training: # put your own here, a hundred or more, or name a file: training: data/examples.csv\n"
        yield "    examples:\n"
        yield "      - {input: Where is my parcel?, output: delivery}\n"
        yield "      - {input: I want my money back., output: refund}\n"
        return
    yield f"  training: {_text(data.file)} # {data.examples:,} examples; relative to this file\n"
    yield f"  format: {data.detected.format}\n"
    if data.columns:
        asked, answered = map(_text, data.columns)
        yield f"  columns: {{input: {asked}, output: {answered}}} # what is asked, and what to answer\n"
    if _is_split(data):
        yield "  split: {validation: 0.1, test: 0.1} # held out, always the same ones: to choose by, and to judge by\n"


def _job(answers: Answers) -> str:
    return f"""\
# Change anything of the recipe, and the next apply trains a new revision, once, while the old one goes on serving. Put
# it back, and the old revision is found again at no cost.
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata:
  name: {_text(answers.name)}
  # labels: {{team: support}} # not part of the recipe
spec:
  baseModel: {_text(answers.model)}
  dataset: {{ref: {_text(answers.name)}}}
  # Left out, hyperparameters are the service's own, with which the first job should begin.
  # hyperParameters: {{epochCount: 4, adapterSize: ADAPTER_SIZE_FOUR}}
  limits:
    timeout: 6h
    # maxBillableTokens: 5_000_000 # tokens x epochs, so it wants an epochCount; refused above, before anything is paid
"""


def _served(answers: Answers) -> str:
    split = answers.data is not None and _is_split(answers.data)
    checkpoint = "best # the one with the least loss on the validation examples" if split else "last"
    gate = "" if split else " # wants test examples: split, or test"
    return f"""\
# One endpoint, one name, for ever. A new revision takes over when it has succeeded and passed its gate.
apiVersion: tuneform.dev/v1
kind: TunedModel
metadata:
  name: {_text(answers.name)}
spec:
  job: {{ref: {_text(answers.name)}}}
  checkpoint: {checkpoint}
  # gate: {{exactMatch: {{atLeast: 0.6}}}}{gate}
  keep: 2 # earlier revisions kept, so that going back costs nothing
"""


def _is_split(data: Data) -> bool:
    return data.examples >= ENOUGH_TO_SPLIT


def _text(value: str) -> str:
    """A text as YAML: bare where it reads back as itself, else in the quotes of JSON, which are YAML's too."""
    bare = value.replace("-", "").replace("_", "").replace(".", "").replace("/", "")
    safe = bare.isascii() and bare.isalnum() and value[0].isalpha() and value.lower() not in _WORDS
    return value if safe else json.dumps(value, ensure_ascii=False)


_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
