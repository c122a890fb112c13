"""One example of every kind: the reference prints them, and together they are a sound folder."""

from __future__ import annotations

from collections.abc import Mapping

EXAMPLES: Mapping[str, str] = {
    "Project": """\
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: demo}
spec:
  projectId: tuneform-demo
  location: us-central1
  servingLocation: us-central1
  owner: ml-team
  labels: {env: demo}
  stateBucket: tuneform-demo-state
""",
    "DatasetBucket": """\
apiVersion: tuneform.dev/v1
kind: DatasetBucket
metadata: {name: data}
spec:
  bucketName: tuneform-demo-training-data
  versioning: true
  lifecycle:
    - {age: 30, numNewerVersions: 3}
  encryptionKey: {ref: tuning-key}
""",
    "EncryptionKey": """\
apiVersion: tuneform.dev/v1
kind: EncryptionKey
metadata: {name: tuning-key}
spec:
  keyRing: tuneform
  rotationPeriod: 90d
  protectionLevel: SOFTWARE
""",
    "ServiceAccount": """\
apiVersion: tuneform.dev/v1
kind: ServiceAccount
metadata: {name: tuning-runner}
spec:
  displayName: Runs tuning jobs
  projectRoles: [roles/aiplatform.user]
  bucketRoles:
    - {bucket: {ref: data}, role: roles/storage.objectViewer}
  impersonators: ["group:ml-team@example.com"]
""",
    "Dataset": """\
apiVersion: tuneform.dev/v1
kind: Dataset
metadata: {name: capitals}
spec:
  bucket: {ref: data}
  training:
    examples:
      - {input: France, output: Paris}
      - {input: Japan, output: Tokyo}
      - {input: Peru, output: Lima}
  validation: gs://tuneform-demo-shared/capitals/validation.jsonl
  test: gs://tuneform-demo-shared/capitals/test.jsonl
  preamble: Name the capital of the country.
""",
    "TuningJob": """\
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata: {name: capitals, labels: {team: geo}}
spec:
  baseModel: gemini-2.5-flash
  dataset: {ref: capitals}
  hyperParameters: {epochCount: 4, adapterSize: ADAPTER_SIZE_EIGHT, learningRateMultiplier: 1.0}
  encryptionKey: {ref: tuning-key}
  serviceAccount: {ref: tuning-runner}
  limits: {maxBillableTokens: 5_000_000, timeout: 6h, retries: 1}
""",
    "TunedModel": """\
apiVersion: tuneform.dev/v1
kind: TunedModel
metadata: {name: capitals}
spec:
  job: {ref: capitals}
  checkpoint: best
  gate: {exactMatch: {atLeast: 0.8, examples: 200}}
  keep: 2
""",
    "Policy": """\
apiVersion: tuneform.dev/v1
kind: Policy
metadata: {name: guardrails}
spec:
  enforcement: deny
  rules:
    - {name: own-key, builtin: cmek-required}
    - {name: epochs, builtin: max-epochs, params: {most: 10}}
    - name: small-adapters
      match: {kinds: [TuningJob]}
      expression: |
        !has(object.spec.hyperParameters.adapterSize) ||
        object.spec.hyperParameters.adapterSize != 'ADAPTER_SIZE_SIXTEEN'
      field: spec.hyperParameters.adapterSize
      message: adapters of rank 16 are for the platform team
      enforcement: warn
  exceptions:
    - rule: epochs
      kind: TuningJob
      name: capitals
      reason: a trial that was agreed with the platform team
      expires: 2027-03-31
""",
}
"""By kind, in the order in which they are read."""


def together() -> str:
    """All examples as one file."""
    return "---\n".join(EXAMPLES.values())
