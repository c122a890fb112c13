"""The part of the reference about one document for several projects; a test loads its example."""

EXAMPLE = """\
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: dev}
spec: {projectId: acme-dev, location: us-central1, owner: nlp}
---
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: prod}
spec:
  projectId: acme-prod
  location: europe-west4
  owner: nlp
  defaults: # below what documents of these kinds say
    TuningJob: {encryptionKey: {ref: tuning-key}}
---
apiVersion: tuneform.dev/v1
kind: EncryptionKey
metadata: {name: tuning-key, project: prod}
spec: {keyRing: tuneform}
---
apiVersion: tuneform.dev/v1
kind: DatasetBucket
metadata: {name: data, projects: [dev, prod]}
spec: {}
---
apiVersion: tuneform.dev/v1
kind: Dataset
metadata: {name: intents, projects: [dev, prod]}
spec: {bucket: {ref: data}, training: train.csv, split: {validation: 0.1, test: 0.1}}
in:
  dev: {training: small.csv} # above what spec says
---
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata: {name: intents, projects: [dev, prod]}
spec:
  baseModel: gemini-2.5-flash
  dataset: {ref: intents} # the Dataset of the same project
  hyperParameters: {epochCount: 4, adapterSize: ADAPTER_SIZE_EIGHT}
in:
  dev: {hyperParameters: {epochCount: 1}}
---
apiVersion: tuneform.dev/v1
kind: TunedModel
metadata: {name: intents, projects: [dev, prod]}
spec: {job: {ref: intents}, checkpoint: best, gate: {exactMatch: {atLeast: 0.8}}}
in:
  dev: {gate: null} # null takes away
"""

TEXT = f"""\
A document is for one project, `project`, or for several, `projects`. What differs in one of them stands in `in`, by the
project's name: a part of the kind's spec. What holds for all documents of a kind in one project stands in that
Project's `defaults`. A value is taken from the first of these that says it: `in`, `spec`, the Project's defaults, the
kind's own default.

| what is above | what is below | outcome |
|---|---|---|
| a mapping | a mapping | field by field |
| a reference, a source of examples, a list, a single value | anything | what is above |
| null in `in` | a value in `spec` or in the defaults | neither counts: the kind's own default does |
| null in `spec` | a default of the Project | the same |
| null in `in`, or in a Project's defaults | nothing | an error |

`metadata` is the same in every project. References lead to documents of the same project. All projects are checked,
whichever is applied; `tuneform render` shows what each of them gets.

```yaml
{EXAMPLE.rstrip()}
```
"""
