"""Bad spec folders by name: why each is there, and its files. What is said about them is in tests/golden/specs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from . import environments
from .bad_policies import POLICIES

PROJECT = """\
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: demo}
spec: {projectId: tuneform-demo, location: us-central1, owner: ml-team}
"""
BUCKET = """\
apiVersion: tuneform.dev/v1
kind: DatasetBucket
metadata: {name: data}
spec: {}
"""
MORE = BUCKET.replace("name: data", "name: more")
DATASET = """\
apiVersion: tuneform.dev/v1
kind: Dataset
metadata: {name: words}
spec:
  bucket: {ref: data}
  training: {examples: [{input: a, output: b}]}
"""
JOB = """\
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata: {name: words}
spec:
  baseModel: gemini-2.5-flash
  dataset: {ref: words}
"""
OTHER = JOB.replace("name: words", "name: other")
FURTHER = """\
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata: {name: further}
spec:
  preTunedModel: {ref: words}
  dataset: {ref: words}
"""
MODEL_NAME = "projects/p/locations/us-central1/models/42"
MODEL = """\
apiVersion: tuneform.dev/v1
kind: TunedModel
metadata: {name: words}
spec:
  job: {ref: words}
"""
BASE = "---\n".join([PROJECT, BUCKET, DATASET, JOB, MODEL])


@dataclass(frozen=True)
class Bad:
    """A folder that must not load: `text` is bad.yaml beside a.yaml, which is BASE unless said otherwise."""

    why: str
    text: str | bytes
    base: str = BASE
    more: Mapping[str, str] = field(default_factory=dict)


EVALUATION = """\
  evaluationConfig:
    metrics: [{exactMatchSpec: {}}]
    outputConfig: {gcsDestination: {outputUriPrefix: gs://bucket/out}}
"""


def job(more: str, name: str = "other") -> str:
    """Another job on the words, with more in its spec."""
    return JOB.replace("name: words", f"name: {name}", 1) + more


def model(why: str, more: str) -> Bad:
    """The TunedModel, with more in its spec."""
    return Bad(why, MODEL + more, base="---\n".join([PROJECT, BUCKET, DATASET, JOB]))


def kind(name: str, spec: str, metadata: str = "name: more") -> str:
    """A document on five lines."""
    return f"apiVersion: tuneform.dev/v1\nkind: {name}\nmetadata: {{{metadata}}}\nspec:\n  {spec}\n"


TEXT = {
    "tab": Bad("editors insert tabs", "kind: Project\nspec:\n  projectId: x\n\tlocation: y\n"),
    "tab after spaces": Bad("the tab is hard to see", "kind: Project\nspec:\n  \tlocation: y\n"),
    "unclosed bracket": Bad("the place is where the parser gave up", "kind: [Project\nspec: {}\n"),
    "unclosed quote": Bad("the end of the file is far from the cause", 'kind: "Project\nspec: {}\n'),
    "colon in text": Bad(
        "a colon and a space make a mapping", kind("Dataset", "preamble: Answer: yes or no")
    ),
    "errors around a broken document": Bad(
        "a broken document does not hide the next", "kind: [\n---\n" + job("  epochs: 1\n") + "---\nkind: ]\n"
    ),
    "not UTF-8": Bad("saved by an old editor", "kind: Project # caf\xe9\n".encode("latin-1")),
    "UTF-16": Bad("saved by another old editor", "kind: Project\n".encode("utf-16")),
    "control character": Bad("pasted from a terminal", "kind: Proj\x1bect\n"),
    "alias": Bad("aliases hide what a value is", "a: &x [1]\nkind: *x\n"),
    "alias bomb": Bad("nine lines that grow to gigabytes", "a: &a [x, x]\nb: &b [*a, *a]\nkind: [*b, *b]\n"),
    "merge key": Bad("YAML 1.1 merges", MORE + "<<: {kind: Dataset}\n"),
    "tag": Bad("a tag could make any object", "kind: !!python/object:os.system x\n"),
    "deep nesting": Bad("a reader that recurses would crash", "spec: " + "[" * 3000 + "\n"),
    "deep blocks": Bad("the same without brackets", "- " * 3000 + "x\n"),
    "duplicate key": Bad("YAML readers drop one silently", job("  description: a\n  description: b\n")),
    "duplicate key, nested": Bad("also in brackets", job("  limits: {retries: 1, retries: 2}\n")),
    "number as key": Bad("keys are text", job("  1: x\n")),
    "list as key": Bad("YAML allows it", job("  [a, b]: x\n")),
    "CRLF": Bad(
        "line numbers and carets are right on Windows", job("  epochs: 4\n").replace("\n", "\r\n").encode()
    ),
    "BOM": Bad("columns are right behind a byte order mark", b"\xef\xbb\xbfkind: Projekt\n"),
    "wide characters": Bad("the caret is under the right sign", job("  labels: {チーム: {}, 部署: X}\n")),
    "no line between documents": Bad("the three dashes were forgotten", BUCKET + MORE),
    "merge conflict": Bad("committed in a hurry", "<<<<<<< HEAD\n" + MORE + "=======\n" + MORE),
    "template": Bad("copied from a Helm chart", kind("DatasetBucket", "location: {{ .Values.location }}")),
    "uneven indentation": Bad("a space too few", job("  limits:\n    retries: 1\n   timeout: 6h\n")),
    "no space after the colon": Bad("then it is one text", job("  description:none\n")),
    "no space after the dash": Bad("then it is one text", kind("DatasetBucket", "lifecycle:\n  -age: 3")),
    "HCL": Bad("renamed by mistake", 'resource "tuning_job" "words" {\n  epochs = 4\n}\n'),
    "JSON with a comment": Bad(
        "JSON is YAML, its comments are not", '{"kind": "Project", // mine\n"spec": {}}\n'
    ),
    "space that is none": Bad("pasted from a web page", "kind: Project\nspec:\n\u00a0\u00a0location: x\n"),
    "long line": Bad(
        "only the part that matters is shown", job(f"  description: {'x' * 500}\n  a: {{{'y' * 300}: 1}}\n")
    ),
}

DOCUMENTS = {
    "no apiVersion": Bad("the commonest slip", BUCKET.replace("apiVersion: tuneform.dev/v1\n", "")),
    "other apiVersion": Bad("a Kubernetes document", BUCKET.replace("tuneform.dev/v1", "v1")),
    "no kind": Bad("nothing to go by", BUCKET.replace("kind: DatasetBucket\n", "")),
    "misspelt kind": Bad("the nearest kind is named", BUCKET.replace("DatasetBucket", "datasetbukket")),
    "no metadata, no spec": Bad("both are said", "apiVersion: tuneform.dev/v1\nkind: Dataset\n"),
    "empty spec": Bad("a key with nothing is null", MORE.replace("{}", "")),
    "kind in small letters": Bad(
        "kinds are written as in Kubernetes", MORE.replace("DatasetBucket", "datasetBucket")
    ),
    "apiVersion as number": Bad("a version is not a number", MORE.replace("tuneform.dev/v1", "1")),
    "metadata as text": Bad("the name alone", MORE.replace("{name: more}", "more")),
    "name as number": Bad("names are text", MORE.replace("name: more", "name: 123")),
    "typographic quotes": Bad("a word processor's", MORE.replace("name: more", "name: “more”")),
    "previous name as text": Bad("there may be several", MORE.replace("more}", "more, previousNames: old}")),
    "labels as list": Bad("as in Docker", MORE.replace("more}", "more, labels: [team=a]}")),
    "label values that are none": Bad(
        "label values are text",
        MORE.replace("more}", "more, labels: {version: 2, debug: true, share: 0.5, none: }}"),
    ),
    "annotation with a mapping": Bad(
        "annotations are text", MORE.replace("more}", "more, annotations: {a: {b: c}}}")
    ),
    "spec as list": Bad("a dash too many", MORE.replace("spec: {}", "spec: [{versioning: true}]")),
    "documents in a list": Bad("as `kubectl get -o yaml` prints", "apiVersion: v1\nkind: List\nitems: []\n"),
    "a list": Bad("not a document", "- kind: Project\n"),
    "some text": Bad("not a document", "Project\n"),
    "other YAML": Bad("a file of another program in the folder", "on: push\njobs: {}\n"),
    "status": Bad("copied from kubectl get -o yaml", MORE + "status: {ready: true}\n"),
    "bad names": Bad(
        "every way to get a name wrong",
        "---\n".join(
            kind("DatasetBucket", "versioning: true", f"name: {name}")
            for name in (
                "Data",
                "1data",
                "data-",
                "data_x",
                "a-name-of-more-than-23-chars",
                '""',
                "42",
                "null",
            )
        ),
    ),
    "bad labels": Bad(
        "Google Cloud's rules, and ours",
        kind(
            "DatasetBucket",
            "versioning: true",
            "name: more, labels: {Team: a, tuneform-owner: me, 1st: a, team: A B, cost: 42, on: Yes}",
        ),
    ),
    "too many labels": Bad(
        "Google Cloud takes 64",
        kind(
            "DatasetBucket",
            "versioning: true",
            f"name: more, labels: {{{', '.join(f'l{n}: x' for n in range(61))}}}",
        ),
    ),
}

FIELDS = {
    "unknown field": Bad("the nearest name is given", job("  hyperParameter: {epochCount: 4}\n")),
    "snake_case": Bad("fields are camelCase", job("  hyper_parameters: {epoch_count: 4}\n")),
    "field one level up": Bad("it is said where the field belongs", job("  epochCount: 4\n")),
    "nothing like it": Bad("the known fields are listed", job("  limits: {zebra: 4}\n")),
    "missing fields": Bad("all of them, at the mapping they belong in", kind("TuningJob", "description: x")),
    "missing in brackets": Bad(
        "the place is the bracket", kind("DatasetBucket", "lifecycle: [{action: Delete}]")
    ),
    "quoted number": Bad("text is not a number", job('  limits: {retries: "4"}\n')),
    "fraction for a number": Bad("4.5 is not whole; 4.0 would be", job("  limits: {retries: 4.5}\n")),
    "octal, sexagesimal": Bad(
        "YAML 1.1 read them as numbers", job("  limits: {retries: 010, maxBillableTokens: 1:30}\n")
    ),
    "yes and off": Bad(
        "YAML 1.1 read them as truth values",
        kind("DatasetBucket", "versioning: yes\n  uniformBucketLevelAccess: off"),
    ),
    "number for text": Bad("a description of digits", job("  description: 42\n")),
    "ref as text": Bad(
        "the form of a reference is shown",
        OTHER.replace("{ref: words}", "words").replace("name: words", "name: x"),
    ),
    "list for a mapping": Bad("types are named", job("  limits: [1]\n")),
    "mapping for a list": Bad(
        "types are named", kind("ServiceAccount", "projectRoles: {a: b}", "name: runner")
    ),
    "choice": Bad(
        "the nearest value is given", job("  hyperParameters: {adapterSize: ADAPTER_SIZE_EIHGT}\n")
    ),
    "choice as number": Bad("the rank instead of its name", job("  hyperParameters: {adapterSize: 8}\n")),
    "out of range": Bad(
        "sizes are checked",
        job("  hyperParameters: {epochCount: 0, learningRateMultiplier: -1}\n  limits: {retries: 11}\n"),
    ),
    "not finite": Bad(
        "YAML has .inf and .nan, JSON has not", job("  hyperParameters: {learningRateMultiplier: .inf}\n")
    ),
    "durations": Bad(
        "a unit is needed",
        job("  limits: {timeout: 6 hours}\n")
        + "---\n"
        + job("  limits: {timeout: 360}\n", "third")
        + "---\n"
        + job("  limits: {timeout: 0s}\n", "fourth"),
    ),
    "checkpoints": Bad(
        "last, best or a number",
        "---\n".join(
            MODEL.replace("{ref: words}", f"{{ref: words}}\n  checkpoint: {c}")
            for c in ("first", "0", "true")
        ),
    ),
    "settings of open models": Bad(
        "other guides have them",
        job("  tuningMode: TUNING_MODE_FULL\n  hyperParameters: {batchSize: 4, learningRate: 0.001}\n"),
    ),
    "not supported": Bad(
        "refused by name, not ignored",
        job("  method: DISTILLATION\n  outputUri: gs://b/o\n  customBaseModel: x\n")
        + "---\n"
        + MODEL
        + "  serving: lookup\n  gate: {noWorseThan: 0.1}\n---\n"
        + PROJECT.replace("}\n", ", platform: gemini-api}\n").replace(
            "{name: demo, platform: gemini-api}", "{name: demo}"
        ),
    ),
    "percent": model("shares are numbers from 0 to 1", "  gate: {exactMatch: {atLeast: 80%}}\n"),
    "80 for 0.8": model("the same without the sign", "  gate: {exactMatch: {atLeast: 80}}\n"),
    "gate as number": model("of what?", "  gate: 0.8\n"),
    "gate that is none": model("one that people look for", "  gate: {accuracy: {atLeast: 0.8}}\n"),
    "money": Bad(
        "an amount has a currency, written as its three letters after it",
        "---\n".join(
            job(f"  hyperParameters: {{epochCount: 1}}\n  limits: {{maxCost: {cost}}}\n", name)
            for name, cost in (
                ("bare", "5"),
                ("sign", "$5"),
                ("small", "5 usd"),
                ("before", "USD 5"),
                ("comma", "'5,50 EUR'"),
                ("less", "-5 USD"),
                ("mapping", "{amount: 5, currency: USD}"),
            )
        ),
    ),
    "limits without epochs": Bad(
        "every epoch bills the data once more, and Vertex AI chooses how many where none is set",
        job("  limits: {maxBillableTokens: 5_000, maxCost: 5 USD}\n"),
    ),
    "commas in a number": Bad(
        "underscores are for that", job("  limits: {maxBillableTokens: '5,000,000'}\n")
    ),
    "number with a comment too near": Bad("a comment needs a space", job("  limits:\n    retries: 1#one\n")),
    "environment variable": Bad(
        "nothing is filled in",
        kind("Project", "projectId: ${PROJECT}\n  location: us-central1\n  owner: a", "name: b"),
        base="",
    ),
    "dataset in the job": Bad("datasets are documents", OTHER.replace("{ref: words}", "{training: a.csv}")),
    "ref to nothing": Bad("an empty name", OTHER.replace("{ref: words}", "{ref: }")),
    "ref with more": Bad(
        "a name is all it takes", OTHER.replace("{ref: words}", "{ref: words, kind: Dataset}")
    ),
    "no base model": Bad("a key with nothing", OTHER.replace("gemini-2.5-flash", "")),
    "truth value for text": Bad("true is no description", job("  description: true\n")),
    "columns as list": Bad("which is which?", kind("Dataset", "columns: [question, answer]")),
    "shares of more than everything": Bad(
        "nothing is left to train on",
        kind(
            "Dataset", "bucket: {ref: data}\n  training: gs://bucket/a\n  split: {validation: 0.6, test: 0.5}"
        ),
    ),
    "example without an answer": Bad(
        "nothing to learn", kind("Dataset", "bucket: {ref: data}\n  training: {examples: [{input: a}]}")
    ),
    "no examples": Bad("an empty list", kind("Dataset", "bucket: {ref: data}\n  training: {examples: []}")),
    "web address": Bad(
        "Vertex AI reads Cloud Storage",
        kind("Dataset", "bucket: {ref: data}\n  training: {uri: 'https://a.b/c'}"),
    ),
    "policy in small letters": model("choices have their case", "  deletionPolicy: delete\n"),
    "everything is kept": model("how many?", "  keep: all\n"),
    "short name of a key": Bad("keys have long names", kind("EncryptionKey", "existing: tuning-key")),
    "role without its path": Bad("roles begin with roles/", kind("ServiceAccount", "projectRoles: [viewer]")),
    "member without a type": Bad(
        "a user, a group?", kind("ServiceAccount", "impersonators: [a@example.com]")
    ),
    "two sources": Bad(
        "one of them would be ignored", DATASET.replace("{examples", "{file: a.csv, examples")
    ),
    "no source": Bad("an empty mapping", DATASET.replace("{examples: [{input: a, output: b}]}", "{}")),
    "split and validation": Bad(
        "which one counts?",
        DATASET
        + "  validation: gs://bucket/v.csv\n  split: {validation: 0.1, test: 0.95}\n"
        + "---\n"
        + DATASET
        + "  test: gs://bucket/v.csv\n  split: {test: 0.1}\n",
    ),
    "key of two minds": Bad(
        "made here or existing",
        kind(
            "EncryptionKey",
            "existing: projects/p/locations/l/keyRings/r/cryptoKeys/k\n  keyRing: mine",
            "name: k",
        )
        + "---\n"
        + kind("EncryptionKey", "rotationPeriod: 90d", "name: l")
        + "---\n"
        + kind("EncryptionKey", "{keyRing: r, rotationPeriod: 1h}", "name: m"),
    ),
    "names of Google Cloud": Bad(
        "formats are checked before anything is sent",
        kind("DatasetBucket", "bucketName: My_Bucket")
        + "---\n"
        + kind(
            "ServiceAccount", "accountId: abc\n  projectRoles: [viewer]\n  impersonators: [me@example.com]"
        )
        + "---\n"
        + kind("Project", "projectId: X\n  location: US\n  owner: The Team", "name: demo"),
    ),
}

BETWEEN = {
    "typo in a ref": Bad(
        "the nearest name is given",
        job("  encryptionKey: {ref: ky}\n") + "---\n" + kind("EncryptionKey", "keyRing: r", "name: key"),
    ),
    "ref to nothing like it": Bad(
        "what is there is listed", JOB.replace("name: words", "name: x").replace("ref: words", "ref: zebra")
    ),
    "ref to no document at all": Bad("there is no such kind", job("  serviceAccount: {ref: runner}\n")),
    "ref of another kind": Bad(
        "the name exists", JOB.replace("name: words", "name: x").replace("ref: words", "ref: data")
    ),
    "two projects, one owner": Bad(
        "each would take down what the other made",
        PROJECT.replace("name: demo", "name: twin").replace(
            "owner: ml-team", "owner: ml-team, stateBucket: b-x"
        ),
        base=PROJECT,
    ),
    "serves where another project of the owner tunes": Bad(
        "endpoints are taken down too",
        PROJECT.replace("name: demo", "name: twin")
        .replace("location: us-central1", "location: europe-west4, servingLocation: us-central1")
        .replace("owner: ml-team", "owner: ml-team, stateBucket: b-x"),
        base=PROJECT,
    ),
    "ref across projects": Bad(
        "references stay within a project",
        PROJECT.replace("name: demo", "name: prod").replace("tuneform-demo", "tuneform-prod")
        + "---\n"
        + kind("Dataset", "{bucket: {ref: data}, training: gs://b-x/a}", "name: x, project: prod"),
        base=PROJECT + "---\n" + BUCKET.replace("name: data", "name: data, project: demo"),
    ),
    "unknown field and typo in a ref": Bad(
        "one run shows both",
        JOB.replace("name: words", "name: x").replace("ref: words", "ref: wrods") + "  epochs: 4\n",
    ),
    "ref to a broken document": Bad(
        "only the broken one is reported",
        DATASET.replace("name: words", "name: broken")
        + "  fromat: csv\n---\n"
        + JOB.replace("words", "broken"),
    ),
    "duplicate names": Bad("both places are given", BUCKET),
    "no project": Bad("said once", BUCKET + "---\n" + DATASET, base=""),
    "several projects": Bad("each document says which", PROJECT.replace("demo", "prod")),
    "unknown project": Bad(
        "the known ones are listed", BUCKET.replace("name: data", "name: more, project: dmo")
    ),
    "project in a project": Bad(
        "projects do not nest", PROJECT.replace("name: demo", "name: demo, project: demo"), base=""
    ),
    "previous name in use": Bad(
        "identity would be in two places",
        BUCKET.replace("name: data", "name: more, previousNames: [data, old]")
        + "---\n"
        + BUCKET.replace("name: data", "name: less, previousNames: [old]"),
    ),
    "a renamed tuning that is still there": Bad(
        "its model and its traffic would be in two places",
        MODEL.replace("name: words", "name: renamed, previousNames: [words]"),
    ),
    "nothing to compare": Bad(
        "no worse in what? there is no test split",
        MODEL.replace("name: words", "name: x") + "  gate: {noWorseThan: serving}\n",
    ),
    "two models for a job": Bad("each would promote on its own", MODEL.replace("name: words", "name: x")),
    "missing data file": Bad(
        "the nearest file is named",
        DATASET.replace("name: words", "name: x").replace(
            "{examples: [{input: a, output: b}]}", "trian.csv\n  test: {file: data}"
        ),
        more={"train.csv": "", "data/x.csv": ""},
    ),
    "data file outside": Bad(
        "a folder of specs is whole",
        DATASET.replace("name: words", "name: x").replace(
            "{examples: [{input: a, output: b}]}",
            "{file: ../secret.csv}\n  test: data/../../x\n  validation: sub/../../specs-2/x",
        ),
    ),
    "live names": Bad(
        "two documents would change one thing in turn",
        BUCKET.replace("name: data", "name: x").replace("{}", "{bucketName: tuneform-demo-data}")
        + "---\n"
        + BUCKET.replace("name: data", "name: tuneform-state")
        + "---\n"
        + kind("EncryptionKey", "{keyRing: r, keyName: a-key}", "name: k")
        + "---\n"
        + kind(
            "EncryptionKey",
            "existing: projects/tuneform-demo/locations/us-central1/keyRings/r/cryptoKeys/a-key",
            "name: l",
        )
        + "---\n"
        + kind("ServiceAccount", "{accountId: runner-two}", "name: runner")
        + "---\n"
        + kind("ServiceAccount", "{}", "name: runner-two"),
    ),
    "short account": Bad(
        "account ids have six characters at least", kind("ServiceAccount", "{}", "name: abc")
    ),
    "adapter size": Bad(
        "documented sizes of the model, with source",
        JOB.replace("name: words", "name: x").replace("2.5-flash", "2.5-pro")
        + "  hyperParameters: {adapterSize: ADAPTER_SIZE_SIXTEEN}\n",
    ),
    "key and location of the model": Bad(
        "documented for the model",
        JOB.replace("name: words", "name: x").replace("2.5-flash", "3.5-flash")
        + "  encryptionKey: {ref: k}\n---\n"
        + kind("EncryptionKey", "keyRing: r", "name: k"),
        base=BASE.replace("us-central1", "asia-east1"),
    ),
    "method of the model": Bad(
        "named as a replacement, and documented not to be tuned",
        JOB.replace("name: words", "name: x").replace("2.5-flash", "3.8-flash"),
    ),
    "key in another region": Bad(
        "refused at create, after all data was uploaded",
        "---\n".join(
            [
                kind("EncryptionKey", "{keyRing: keys, location: europe-west4}", "name: far"),
                kind(
                    "EncryptionKey",
                    "existing: projects/p/locations/us/keyRings/r/cryptoKeys/k",
                    "name: there",
                ),
                job("  encryptionKey: {ref: far}\n"),
                job("  encryptionKey: {ref: there}\n", "third"),
            ]
        ),
    ),
    "no region to tune in": Bad(
        "models are tuned in a region, whatever the model",
        JOB.replace("name: words", "name: x").replace("gemini-2.5-flash", "gemini-9-flash"),
        base=BASE.replace("us-central1", "global"),
    ),
    "serving location of the model": Bad(
        "the newest serve from a multi-region only",
        job("", "new").replace("2.5-flash", "3.1-flash-lite") + "---\n" + MODEL.replace("words", "new"),
    ),
    "nothing to measure on": Bad(
        "the gate could never be passed",
        MODEL.replace(
            "{ref: words}",
            "{ref: words}\n  checkpoint: best\n  gate: "
            "{exactMatch: {atLeast: 0.8}, evalLoss: {atMost: 1}, evalAccuracy: {atLeast: 0.1}}",
        ),
        base=BASE.replace(MODEL, ""),
    ),
    "checkpoints not kept": Bad(
        "only the last is exported",
        job("  exportLastCheckpointOnly: true\n", "last")
        + "---\n"
        + MODEL.replace("words", "last")
        + "  checkpoint: 3\n",
    ),
    "two models to tune": Bad("which one?", job("  preTunedModel: {ref: words}\n")),
    "two pre-tuned models": Bad(
        "a job and a model",
        FURTHER.replace("{ref: words}", f"{{ref: words, name: {MODEL_NAME}@1}}", 1),
    ),
    "no pre-tuned model": Bad("a checkpoint of what?", FURTHER.replace("{ref: words}", "{checkpoint: 2}", 1)),
    "model without version": Bad(
        "anybody may change the default", FURTHER.replace("{ref: words}", f"{{name: {MODEL_NAME}}}", 1)
    ),
    "best of a foreign model": Bad(
        "nobody measured it here",
        FURTHER.replace("{ref: words}", f"{{name: {MODEL_NAME}@1, checkpoint: best}}", 1),
    ),
    "parent that is nothing": Bad("a typo in a ref", FURTHER.replace("{ref: words}", "{ref: wrods}", 1)),
    "jobs in a circle": Bad(
        "the hen and the egg",
        FURTHER.replace("{ref: words}", "{ref: egg}", 1)
        + "---\n"
        + FURTHER.replace("name: further", "name: egg").replace("{ref: words}", "{ref: further}", 1),
    ),
    "another key than the parent's": Bad(
        "continuous tuning keeps the key",
        FURTHER + "  encryptionKey: {ref: k}\n---\n" + kind("EncryptionKey", "keyRing: r", "name: k"),
    ),
    "display name of the parent": Bad(
        "it would become a version", FURTHER + "  tunedModelDisplayName: words\n"
    ),
    "checkpoint the parent does not keep": Bad(
        "only the last is exported",
        job("  exportLastCheckpointOnly: true\n", "last")
        + "---\n"
        + FURTHER.replace("{ref: words}", "{ref: last, checkpoint: 2}", 1),
    ),
    "best of a parent that measures nothing": Bad(
        "no validation examples", FURTHER.replace("{ref: words}", "{ref: words, checkpoint: best}", 1)
    ),
    "preferences for a supervised job": Bad(
        "two answers each",
        kind(
            "Dataset",
            "{bucket: {ref: data}, format: preference-jsonl, training: gs://bucket/p.jsonl}",
            "name: p",
        )
        + "---\n"
        + JOB.replace("{name: words}", "{name: x}").replace("{ref: words}", "{ref: p}"),
    ),
    "one answer each for a preference job": Bad("nothing to prefer", job("  method: PREFERENCE_TUNING\n")),
    "beta for a supervised job": Bad("it does nothing there", job("  hyperParameters: {beta: 0.1}\n")),
    "tuning mode for a preference job": Bad(
        "supervised tuning has it",
        job("  method: PREFERENCE_TUNING\n  tuningMode: TUNING_MODE_PEFT_ADAPTER\n"),
    ),
    "evaluation of nothing, nowhere": Bad(
        "no metric, two in one, no folder",
        job(
            "  evaluationConfig:\n    metrics: [{}, {exactMatchSpec: {}, bleuSpec: {}}, {bleuSpec: {parameters: 1}}]\n"
            "    outputConfig: {gcsDestination: {outputUriPrefix: out}}\n"
        ),
    ),
    "evaluation without metrics": Bad(
        "an empty list",
        job("  evaluationConfig: {metrics: [], datasetCustomMetrics: []}\n"),
    ),
    "evaluation in Asia": Bad(
        "us-central1 alone has it", job(EVALUATION), base=BASE.replace("us-central1", "asia-east1")
    ),
    "evaluation of preferences": Bad(
        "for supervised tuning", job("  method: PREFERENCE_TUNING\n" + EVALUATION)
    ),
    "preferences in the spec": Bad(
        "examples here have one output",
        kind(
            "Dataset",
            "{bucket: {ref: data}, format: preference-jsonl, training: {examples: [{input: a, output: b}]}}",
        ),
    ),
}

SEVERAL = "---\n".join(environments.ALL)


def several(old: str, new: str, text: str = "") -> Bad:
    """The documents of two projects with one difference."""
    assert old in SEVERAL
    return Bad("", text or "# nothing more\n", base=SEVERAL.replace(old, new, 1))


def sent(metadata: str = "projects: [dev, prod]", spec: str = "", over: str = "") -> Bad:
    """One more job beside those of two projects."""
    more = f"  {spec}\n" if spec else ""
    text = environments.JOB.replace("name: words, projects: [dev, prod]", f"name: other, {metadata}")
    return Bad("", f"{text}{more}{over}", base=SEVERAL)


def because(why: str, bad: Bad) -> Bad:
    """The same, with the reason why it is in the table."""
    return replace(bad, why=why)


def in_project(defaults: str) -> Bad:
    """A Project with defaults."""
    return several(
        "location: europe-west4, owner: nlp", f"location: europe-west4, owner: nlp, defaults: {defaults}"
    )


ENVIRONMENTS = {
    "project and projects": because("of the two one is old", sent("project: dev, projects: [dev, prod]")),
    "projects of a Project": because(
        "it is one itself", several("{name: prod}", "{name: prod, projects: [dev]}")
    ),
    "no projects": because("emptied by hand", sent("projects: []")),
    "project named twice": because("copied", sent("projects: [dev, dev]")),
    "projects as text": because("a list of one", sent("projects: dev")),
    "unknown project in projects": because("a typo", sent("projects: [dev, prdo]")),
    "in without projects": because(
        "it was for one project", sent("project: dev", over="in: {dev: {description: x}}\n")
    ),
    "in of a Project": because(
        "it looks like the others",
        several(
            "owner: nlp}\n---\napiVersion: tuneform.dev/v1\nkind: DatasetBucket",
            "owner: nlp}\nin: {prod: {location: us-central1}}\n---\napiVersion: tuneform.dev/v1\nkind: DatasetBucket",
        ),
    ),
    "unknown project in in": because("a typo would be ignored", sent(over="in: {prdo: {description: x}}\n")),
    "project not listed in in": because(
        "half an edit", sent("projects: [dev]", over="in: {prod: {description: x}}\n")
    ),
    "in that is a list": because("lists of patches, as in other tools", sent(over="in: [{dev: {}}]\n")),
    "in of one that is a number": because("a field's value a level too high", sent(over="in: {dev: 1}\n")),
    "spec inside in": because("a level too many", sent(over="in: {dev: {spec: {description: x}}}\n")),
    "hyperparameter a level too high in in": because("as in spec", sent(over="in: {dev: {epochCount: 1}}\n")),
    "typo in in": because("as in spec", sent(over="in:\n  dev:\n    hyperParameters: {epochCont: 1}\n")),
    "wrong type in in": because(
        "as in spec", sent(over="in: {prod: {hyperParameters: {epochCount: four}}}\n")
    ),
    "null with nothing to take away": because(
        "it was renamed below", sent(over="in: {dev: {limits: {timeout: null}}}\n")
    ),
    "required field taken away": because("nothing below it", sent(over="in: {dev: {dataset: null}}\n")),
    "wrong for one project": because(
        "the outcome is judged", sent(over="in: {prod: {dataset: {ref: none}}}\n")
    ),
    "adapter size for one project": because(
        "the model of one environment takes less",
        sent(
            spec="hyperParameters: {adapterSize: ADAPTER_SIZE_SIXTEEN}",
            over="in: {dev: {baseModel: gemini-2.5-pro}}\n",
        ),
    ),
    "defaults of no kind": because("a plural", in_project("{TuningJobs: {description: x}}")),
    "defaults of a Project": because("inheritance, as elsewhere", in_project("{Project: {owner: x}}")),
    "live name as a default": because(
        "all would claim it", in_project("{DatasetBucket: {bucketName: shared}}")
    ),
    "null as a default": because("nothing lies below", in_project("{TuningJob: {limits: {timeout: null}}}")),
    "typo in a default": because(
        "also without a document that takes it", in_project("{ServiceAccount: {impersonator: []}}")
    ),
    "default that leads nowhere": because(
        "told at the default", in_project("{TuningJob: {encryptionKey: {ref: k}}}")
    ),
    "same live name in two projects": because(
        "one document, two buckets of one name", several("spec: {}", "spec: {bucketName: acme-data}")
    ),
    "document of one name for a project": because(
        "one for both beside one for prod",
        Bad("", environments.JOB.replace("[dev, prod]", "[prod]"), base=SEVERAL),
    ),
}

TABLE: Mapping[str, Mapping[str, Bad]] = {
    "text": TEXT,
    "documents": DOCUMENTS,
    "fields": FIELDS,
    "between": BETWEEN,
    "environments": ENVIRONMENTS,
    "policies": {name: Bad(why, text) for name, (why, text) in POLICIES.items()},
}
"""By golden file."""
