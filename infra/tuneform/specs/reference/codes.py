"""What each code in a diagnostic about specs means. Codes are stable: they are looked up, filtered and linked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """A code's meaning.

    `example` is a file that gets the code when it lies beside the examples of the reference (examples.py), or,
    with `alone`, when it is the only one; it is empty where no text of a file can show it.
    """

    title: str
    explanation: str
    example: str = ""
    alone: bool = False


def _document(kind: str, name: str, spec: str, metadata: str = "") -> str:
    more = f", {metadata}" if metadata else ""
    return f"apiVersion: tuneform.dev/v1\nkind: {kind}\nmetadata: {{name: {name}{more}}}\nspec: {spec}\n"


def _job(name: str, more: str = "", model: str = "gemini-2.5-flash") -> str:
    end = f", {more}" if more else ""
    return _document("TuningJob", name, f"{{baseModel: {model}, dataset: {{ref: capitals}}{end}}}")


def _dataset(name: str, training: str) -> str:
    return _document("Dataset", name, f"{{bucket: {{ref: data}}, training: {training}}}")


_BUCKET = _document("DatasetBucket", "more", "{}")
_PROJECT = _document("Project", "asia", "{projectId: tuneform-asia, location: asia-east1, owner: ml-team}")
_BIG = "hyperParameters: {adapterSize: ADAPTER_SIZE_THIRTY_TWO}"

CODES: Mapping[str, Code] = {
    "E101": Code(
        "No such path", "Specs are read from a YAML file or a folder; there is nothing at the path given."
    ),
    "E102": Code("Nothing to read", "The folder holds no *.yaml or *.yml file, or those it holds are empty."),
    "E103": Code(
        "Unreadable file", "The operating system did not let tuneform read the file; the message says why."
    ),
    "E104": Code(
        "File too large", "A spec file is at most 1 MB. Examples belong in data files, named with `file:`."
    ),
    "E105": Code("Not UTF-8", "Specs are UTF-8 text. Save the file again in that encoding."),
    "E106": Code("Character not allowed", "YAML allows no control characters but tab and line ends."),
    "E107": Code(
        "Tab in the indentation",
        "YAML is indented with spaces only. Most editors can insert spaces when the tab key is pressed.",
        "kind: Project\nspec:\n\tlocation: us-central1\n",
    ),
    "E108": Code(
        "Not YAML",
        "The text cannot be read as YAML; the message is the parser's. Documents after the next `---` are still read.",
        "kind: [Project\n",
    ),
    "E109": Code(
        "Nested too deep",
        "Values may be nested 40 levels deep; no spec needs more.",
        "spec: " + "[" * 45 + "]" * 45 + "\n",
    ),
    "E110": Code(
        "Anchor or alias",
        "`&name` and `*name` hide what a value is from readers and reviews, and can blow up a file. Write values out.",
        _BUCKET.replace("spec: ", "spec: &all "),
    ),
    "E111": Code(
        "Tag",
        "Tags (`!!str`, `!custom`) are not part of the language.",
        _BUCKET.replace("kind: ", "kind: !!str "),
    ),
    "E112": Code(
        "Key given twice",
        "A mapping holds each key once; YAML readers would silently drop one of the values.",
        _BUCKET + "kind: Dataset\n",
    ),
    "E113": Code(
        "Key that is not text",
        "Keys are text. A number, a truth value or nothing as a key needs quotes.",
        _BUCKET + "1: one\n",
    ),
    "E114": Code(
        "Too many errors",
        "The first 200 errors of a document, and of a file, are shown; mend those and look again.",
    ),
    "E115": Code(
        "Link out of the folder", "A spec file is a symbolic link to something outside the spec folder."
    ),
    "E120": Code(
        "apiVersion",
        "Every document says `apiVersion: tuneform.dev/v1`.",
        _BUCKET.replace("tuneform.dev/v1", "tuneform.dev/v2"),
    ),
    "E121": Code(
        "Kind",
        "The document's kind is missing or is not one of tuneform's.",
        _BUCKET.replace("DatasetBucket", "Bucket"),
    ),
    "E122": Code(
        "Not a document", "A document is a mapping with apiVersion, kind, metadata and spec.", "- Project\n"
    ),
    "E123": Code(
        "Unknown field",
        "The language has no such field at that place. Nothing is ignored: a typo would change what is paid for.",
        _job("typo", "hyperParameters: {epochs: 4}"),
    ),
    "E124": Code(
        "Missing field",
        "A field that has no default is not there.",
        _document("TuningJob", "bare", "{dataset: {ref: capitals}}"),
    ),
    "E125": Code(
        "Wrong type",
        "The value is of another type than the field. Types are YAML 1.2's: `yes`, `no`, `on`, `off`, `1:30` are text.",
        _document("DatasetBucket", "more", "{versioning: yes}"),
    ),
    "E126": Code(
        "Not one of the values",
        "The field takes one of a few values.",
        _job("typo", "hyperParameters: {adapterSize: ADAPTER_SIZE_AIGHT}"),
    ),
    "E127": Code(
        "Value not allowed",
        "The value has the right type and the wrong form or size.",
        _job("typo", "limits: {timeout: 6 hours}"),
    ),
    "E128": Code(
        "Name",
        "metadata.name is at most 23 characters of a-z, 0-9 and '-', beginning with a letter and not ending with '-', "
        "so that it can be the name of everything that is made from it.",
        _document("DatasetBucket", "My_Bucket", "{}"),
    ),
    "E129": Code(
        "Labels",
        "Labels follow Google Cloud's rules: at most 63 characters of a-z, 0-9, '_' and '-', keys beginning with a "
        "letter; 60 at most, since tuneform adds four. The prefix `tuneform-` is tuneform's own.",
        _document("DatasetBucket", "more", "{}", "labels: {Team: support}"),
    ),
    "E130": Code(
        "Fields that exclude each other",
        "Two things are said of which one can be true.",
        _dataset("both", "{file: a.csv, uri: gs://bucket/a.csv}"),
    ),
    "E131": Code(
        "Not supported yet",
        "Vertex AI or the Gemini API has it and tuneform does not yet. It is refused by name rather than ignored.",
        _job("later", "method: DISTILLATION"),
    ),
    "E132": Code(
        "Nothing to take away",
        "Null takes away what a lower layer says: `in` what spec or the Project's defaults say, spec what those say. "
        "Here nothing is said below.",
        _document("DatasetBucket", "more", "{}", "projects: [demo]") + "in: {demo: {lifecycle: null}}\n",
    ),
    "E133": Code(
        "What differs, and where",
        "`in` says what differs in a project, by the project's name; the document lists its projects in "
        "metadata.projects. A Project has no `in`: it is one environment itself.",
        _BUCKET + "in: {demo: {versioning: false}}\n",
    ),
    "E134": Code(
        "Not a default",
        "A Project's defaults are for the documents of other kinds. What names one live thing cannot be among them: "
        "all documents of the kind would claim that thing.",
        _PROJECT.replace("ml-team}", "ml-team, defaults: {DatasetBucket: {bucketName: shared-data}}}"),
        alone=True,
    ),
    "E140": Code(
        "Reference to nothing",
        "`{ref: name}` names no document of the kind that is needed in the same project.",
        _document("Dataset", "lost", "{bucket: {ref: dat}, training: gs://bucket/a.csv}"),
    ),
    "E141": Code(
        "Reference to another kind",
        "A document of that name exists and is of a kind that is of no use at that place.",
        _document("Dataset", "lost", "{bucket: {ref: tuning-key}, training: gs://bucket/a.csv}"),
    ),
    "E142": Code(
        "Documents that need each other",
        "References lead in a circle, so that nothing could be made first.",
        _document("TuningJob", "hen", "{preTunedModel: {ref: egg}, dataset: {ref: capitals}}")
        + "---\n"
        + _document("TuningJob", "egg", "{preTunedModel: {ref: hen}, dataset: {ref: capitals}}"),
    ),
    "E143": Code(
        "Two documents of one name", "Kind, project and name belong to one document.", _job("capitals")
    ),
    "E144": Code(
        "Two TunedModels for a job",
        "A TuningJob has at most one TunedModel.",
        _document("TunedModel", "second", "{job: {ref: capitals}}"),
    ),
    "E145": Code(
        "Project not said",
        "There are several Projects; each document says in metadata which one it belongs to (`project`), or which ones "
        "(`projects`).",
        _PROJECT + "---\n" + _PROJECT.replace("asia", "europe") + "---\n" + _BUCKET,
        alone=True,
    ),
    "E146": Code(
        "Unknown project",
        "metadata.project, or one of metadata.projects, names no Project document.",
        _document("DatasetBucket", "more", "{}", "project: prod"),
    ),
    "E147": Code("No project", "Documents belong to a Project, and there is none.", _BUCKET, alone=True),
    "E148": Code(
        "Previous name of another",
        "A name in metadata.previousNames is still in use, or another document claims it too.",
        _document("DatasetBucket", "more", "{}", "previousNames: [data]"),
    ),
    "E150": Code(
        "No data file",
        "A file that a Dataset names is not there, or cannot be read.",
        _dataset("lost", "data/none.csv"),
    ),
    "E151": Code(
        "Data file outside",
        "Data files lie in the spec folder, also when symbolic links are followed, so that a folder of specs is whole.",
        _dataset("outside", "../train.csv"),
    ),
    "E152": Code(
        "One live name, two documents",
        "Two documents describe the same bucket, key, service account or endpoint, and would change it in turn.",
        _document("DatasetBucket", "more", "{bucketName: tuneform-demo-training-data}"),
    ),
    "E153": Code(
        "Nothing to measure on",
        "A checkpoint is chosen, or a gate measured, on examples that the dataset does not have.",
        _dataset("plain", "gs://bucket/a.csv")
        + "---\n"
        + _document("TuningJob", "plain", "{baseModel: gemini-2.5-flash, dataset: {ref: plain}}")
        + "---\n"
        + _document("TunedModel", "plain", "{job: {ref: plain}, checkpoint: best}"),
    ),
    "E154": Code(
        "Two Projects, one owner",
        "What an owner has in a location and no document asks for is taken down. Two Projects with the same projectId, "
        "owner and location would take down each other's.",
        _PROJECT + "---\n" + _PROJECT.replace("asia}", "twin}"),
        alone=True,
    ),
    "E155": Code(
        "Method and data do not fit",
        "Preference tuning learns from pairs of answers (`format: preference-jsonl`), supervised tuning from one "
        "answer to each prompt.",
        _job("compared", "method: PREFERENCE_TUNING"),
    ),
    "E156": Code(
        "Key of the pre-tuned model",
        "Continuous tuning has to use the key that the tuned model it goes on from is encrypted with.",
        _document("TuningJob", "further", "{preTunedModel: {ref: capitals}, dataset: {ref: capitals}}"),
    ),
    "E157": Code(
        "Display name of the pre-tuned model",
        "Under the same display name Vertex AI makes the new model a version of the one it was tuned from. tuneform "
        "keeps them apart, so that one can be retired without the other.",
        _document(
            "TuningJob",
            "further",
            "{preTunedModel: {ref: capitals}, dataset: {ref: capitals}, encryptionKey: {ref: tuning-key}, "
            "tunedModelDisplayName: capitals}",
        ),
    ),
    "E160": Code(
        "Adapter size of the model",
        "The base model is documented not to take this adapter size.",
        _job("big", _BIG),
    ),
    "E161": Code(
        "Location of the model",
        "The base model is documented not to be tuned in the project's location.",
        "---\n".join(
            [
                _PROJECT,
                _BUCKET,
                _document("Dataset", "capitals", "{bucket: {ref: more}, training: gs://bucket/a.csv}"),
            ]
        )
        + "---\n"
        + _job("far", model="gemini-3.5-flash"),
        alone=True,
    ),
    "E162": Code(
        "Key and model",
        "The base model is documented not to be tuned with customer-managed keys.",
        _job("locked", "encryptionKey: {ref: tuning-key}", model="gemini-3.5-flash"),
    ),
    "E163": Code(
        "Method of the model",
        "The base model is documented not to be tuned by this method.",
        _job("newest", model="gemini-3.8-flash"),
    ),
    "E164": Code(
        "Serving location of the model",
        "The base model is documented not to serve from the project's serving location once it is tuned.",
        "---\n".join(
            [
                _job("words", model="gemini-3.5-flash"),
                _document("TunedModel", "words", "{job: {ref: words}}"),
            ]
        ),
    ),
    "E165": Code(
        "Epochs of the model",
        "The base model is documented to take fewer epochs. No document that comes with tuneform gives a number; a "
        "capability file of yours may (docs/capabilities.md).",
    ),
    "E166": Code(
        "Checkpoints of the model",
        "The base model is documented to keep no checkpoint but the last. No document that comes with tuneform says "
        "so of any; a capability file of yours may (docs/capabilities.md).",
    ),
    "E168": Code(
        "Location of the key",
        "A job's key lies in the region in which the job runs, and its model; a key elsewhere is refused at create.",
        _document("EncryptionKey", "far", "{keyRing: keys, location: europe-west4}")
        + "---\n"
        + _job("far", "encryptionKey: {ref: far}"),
    ),
    "E170": Code(
        "Limit without a number of epochs",
        "Every epoch bills the tokens of the dataset once. Where no epochCount is set, Vertex AI chooses one by a rule "
        "that is not documented, so that no limit on tokens or cost could be kept.",
        _job("open", "limits: {maxBillableTokens: 5000}"),
    ),
    "E171": Code(
        "Over a limit",
        "The job would bill more tokens, or cost more, than its limits allow. `check` reports it where even the low "
        "end of the estimate is above the limit; `plan` holds the upper end against it, or what Vertex AI counted.",
    ),
    "E172": Code(
        "Limit without a price",
        "limits.maxCost needs a price of the base model in the same currency. No document states one, so it comes from "
        "a price table of your own (docs/costs.md).",
    ),
    "E167": Code(
        "Evaluation elsewhere",
        "evaluationConfig is documented to be available in us-central1 alone.",
        _PROJECT
        + "---\n"
        + _BUCKET
        + "---\n"
        + _document("Dataset", "capitals", "{bucket: {ref: more}, training: gs://bucket/a.csv}")
        + "---\n"
        + _job(
            "measured",
            "evaluationConfig: {metrics: [{exactMatchSpec: {}}], outputConfig: "
            "{gcsDestination: {outputUriPrefix: gs://bucket/out}}}",
        ),
        alone=True,
    ),
    "E180": Code(
        "Capability file unreadable",
        "A file that the setting `capabilities` names is missing, or is not TOML in UTF-8.",
    ),
    "E181": Code(
        "Unknown word in a capability file",
        "A section, cell or part of a cell that there is none of; docs/capabilities.md lists them.",
    ),
    "E182": Code(
        "Wrong value in a capability file",
        'A cell is `{ value = …, source = "…" }` or "unknown", with a value of its own form, listed in '
        "docs/capabilities.md.",
    ),
    "E183": Code(
        "Capability without a source",
        "Every cell names its source, and every source has a title and a day: what nobody can look up again is no "
        "fact.",
    ),
    "E185": Code(
        "Price table",
        "Each entry of a price table says what training a base model costs, per which unit, in which currency, who "
        "says so and when that was (docs/costs.md).",
    ),
    "E190": Code(
        "Rule that is no rule",
        "An expression of a policy is not CEL, names something that there is not, or is of another type than is "
        "needed: true or false for `expression`, a list for `each`, text for `messageExpression`.",
        _document("Policy", "house", "{rules: [{name: small, expression: 'object.spec.keep <'}]}"),
    ),
    "E191": Code(
        "Built-in rule",
        "There is no built-in rule of that name, or it does not take these parameters. docs/policy.md has them all.",
        _document("Policy", "house", "{rules: [{name: small, builtin: max-epoch, params: {most: 10}}]}"),
    ),
    "E192": Code(
        "Exception without a rule",
        "An exception names a rule that no policy beside it has. Rules of a bundle are excepted in the bundle.",
        _document(
            "Policy",
            "house",
            "{exceptions: [{rule: small, kind: TuningJob, name: capitals, reason: agreed with Ada, "
            "expires: 2027-01-31}]}",
        ),
    ),
    "E193": Code(
        "Field that there is not",
        "A rule looks at a field that none of its kinds has. It would say nothing for ever, or break for everybody.",
        _document(
            "Policy",
            "house",
            "{match: {kinds: [TuningJob]}, rules: [{name: small, expression: has(object.spec.hyperParams)}]}",
        ),
    ),
    "E194": Code(
        "Rule of a policy broken",
        "A policy with `enforcement: deny` forbids what the document says. The message names the rule, the hint what "
        "to do; where there is a reason to do it all the same, the policy can have an exception with a day on which "
        "it ends.",
        _document(
            "Policy",
            "house",
            "{match: {kinds: [TuningJob]}, rules: [{name: small, builtin: max-epochs, params: {most: 2}}]}",
        ),
    ),
    "E195": Code(
        "Rule that could not be judged",
        "A rule has no value for the document: it looks at a field that is not there without has(), or compares what "
        "does not go together. It counts as broken, since a rule that cannot be asked protects nobody.",
        _document(
            "Policy",
            "house",
            "{match: {kinds: [TuningJob]}, rules: [{name: small, expression: object.spec.description > 3}]}",
        ),
    ),
    "E196": Code(
        "Case for policies",
        "A file of cases (`*.policytest.yaml`, docs/policy.md) names policies, specs, a document or a rule that there "
        "is not. `tuneform policy test` says so before it runs any case.",
    ),
    "W190": Code(
        "Rule of a policy broken, a warning",
        "The same as E194 for a policy with `enforcement: warn`: it is shown, and stops nothing.",
        _document(
            "Policy",
            "house",
            "{match: {kinds: [TuningJob]}, enforcement: warn, rules: "
            "[{name: small, builtin: max-epochs, params: {most: 2}}]}",
        ),
    ),
    "W191": Code(
        "Exception that has ended",
        "Its last day is past, and the rule holds again.",
        _document(
            "Policy",
            "house",
            "{rules: [{name: small, builtin: max-epochs, params: {most: 9}}], exceptions: [{rule: small, "
            "kind: TuningJob, name: capitals, reason: agreed with Ada, expires: 2026-01-31}]}",
        ),
    ),
    "W101": Code(
        "Unknown base model",
        "No document that tuneform knows names the base model: it is used as it is, and its limits are not checked.",
        _job("new", model="gemini-9-flash"),
    ),
    "W102": Code(
        "Base model retires soon",
        "The base model is within 90 days of its documented retirement. The hint names the models that are documented "
        "to be tuned the same way and to last longer, and what each of them would not take from this job.",
    ),
    "W103": Code(
        "Base model retired",
        "The documented retirement of the base model is past. The create may be refused, which costs nothing; a later "
        "document may also have put the day off, which a capability file of yours can say (docs/capabilities.md).",
    ),
    "W104": Code(
        "Capability from an older document",
        "A capability file corrects what a newer document says. That may be meant; otherwise leave the cell out.",
    ),
    "W171": Code(
        "Perhaps over a limit",
        "The upper end of the estimate is above the limit, or is not known: `plan` is blocked unless Vertex AI has "
        "counted the tokens of the same data before, and they fit.",
    ),
    "W201": Code(
        "Few examples",
        "Advice: Google's guides want 100 training examples or more for tuning, and 20 at the very least. With "
        "fewer, a prompt that holds examples is the cheaper first step.",
    ),
    "W202": Code(
        "One question, several answers",
        "Advice, from the data: the same question has more than one answer in training. Where only one is right, "
        "the others teach mistakes; where one is the better, preference tuning learns from pairs of answers.",
    ),
    "W203": Code(
        "Not a classification",
        "Advice: The Dataset says `task: classification`, and more than half of the answers are different ones.",
    ),
    "W204": Code(
        "Labels spelt in several ways",
        "Advice, from the data: labels of a classification differ in case or blanks alone, and are learnt as "
        "different ones.",
    ),
    "W205": Code(
        "Label that training lacks",
        "Advice, from the data: a classification's held-out examples have labels that the model is never shown.",
    ),
    "W206": Code(
        "Exact match of free text",
        "Advice: The gate wants answers to the letter, and the Dataset's task has more than one good wording.",
    ),
}
