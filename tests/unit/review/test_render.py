"""What `tuneform render` prints: plain documents that load to the same tree."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.unit.specs.bad_specs import BASE
from tests.unit.specs.environments import BUCKET, DATASET, DEV, JOB, KEY, MODEL, PROD, with_defaults, written

from tuneform.entrypoints.cli.main import cli
from tuneform.errors import SettingsError, SpecErrors
from tuneform.review.render import rendered
from tuneform.specs import Document, Project, SpecModel, Tree, load
from tuneform.specs.reference.environments import EXAMPLE
from tuneform.specs.reference.examples import together

SPECS = Path(__file__).parents[3] / "specs"


def documents(tree: Tree) -> list[Document[SpecModel]]:
    """The documents, Projects without the defaults that are applied in the others."""
    return [
        replace(one, spec=one.spec.model_copy(update={"defaults": {}}))
        if isinstance(one.spec, Project)
        else one
        for one in tree.documents
    ]


def again(tree: Tree, text: str) -> Tree:
    """The tree of what was rendered, from a file in the same folder."""
    path = tree.root / "rendered.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        return load(path)
    finally:
        path.unlink()


def a_folder(path: Path) -> Path:
    """The example, its files in folders, with a layer that names a file from elsewhere."""
    first, *rest = EXAMPLE.split("---\n")
    prod = (
        rest[0]
        .replace("defaults:", "defaults:\n    Dataset: {validation: {file: check.csv}}\n   ")
        .replace("    # below", "# below")
    )
    written(path, first, *rest[1:3])
    written(path / "prod", prod)
    text = "---\n".join(rest[3:]).replace("{validation: 0.1, test: 0.1}", "{test: 0.1}")
    written(path / "team", text.replace("training: small.csv", "training: small.csv, validation: small.csv"))
    for name in ("prod/check", "team/small", "team/train"):
        (path / f"{name}.csv").write_text("text_input,output\na,b\n")
    return path


@pytest.mark.parametrize("name", ["specs", "examples", "layers", "plain"])
def test_what_is_rendered_loads_to_the_same_documents(tmp_path: Path, name: str) -> None:
    match name:
        case "specs":
            tree = load(shutil.copytree(SPECS, tmp_path, dirs_exist_ok=True))
        case "examples":
            tree = load(written(tmp_path, together()))
        case "layers":
            tree = load(a_folder(tmp_path))
        case _:
            tree = load(written(tmp_path, BASE))
    text = rendered(tree)
    assert documents(again(tree, text)) == documents(tree)
    assert rendered(again(tree, text)) == text
    assert documents(again(tree, rendered(tree, origins=True))) == documents(tree)


# What people write, and what a reader of YAML may take for something else.
WORDS = st.sampled_from(
    ["no", "1e3", "0o7", "1:30", "5_000", "~", "", "null", "1.0", "#x", "a: b", "- a", "{a", "é\n😀"]
)
TEXTS = st.text(max_size=12) | WORDS | st.lists(WORDS, max_size=4).map("\n".join)
PARTS = st.fixed_dictionaries(
    {},
    optional={
        "description": TEXTS,
        "hyperParameters": st.fixed_dictionaries(
            {},
            optional={
                "epochCount": st.integers(1, 99) | st.just(4.0),
                "learningRateMultiplier": st.floats(1e-9, 1e9),
            },
        ),
        "limits": st.fixed_dictionaries(
            {}, optional={"timeout": st.just("90m"), "retries": st.integers(0, 9)}
        ),
        "encryptionKey": st.just({"ref": "tuning-key"}),
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.tuples(PARTS, PARTS, PARTS, PARTS), st.dictionaries(TEXTS, TEXTS, max_size=2))
@example(({"description": "1e3"}, {}, {}, {}), {"no": "a \n\n b", "k" * 200: "x\ty"})
def test_any_layers_are_rendered_to_what_they_come_out_as(
    tmp_path: Path, parts: tuple[dict[str, object], ...], notes: dict[str, str]
) -> None:
    """JSON is YAML: nothing of the layout is the renderer's own."""
    spec, dev, prod, defaults = parts
    job = {
        "apiVersion": "tuneform.dev/v1",
        "kind": "TuningJob",
        "metadata": {"name": "words", "projects": ["dev", "prod"], "annotations": notes},
        "spec": {"baseModel": "gemini-2.5-flash", "dataset": {"ref": "words"}, **spec},
        "in": {"dev": dev, "prod": prod},
    }
    key = KEY.replace("project: prod", "projects: [dev, prod]")
    texts = [
        with_defaults(DEV, json.dumps({"TuningJob": defaults})),
        PROD,
        BUCKET,
        DATASET,
        key,
        json.dumps(job),
    ]
    try:
        tree = load(written(tmp_path, *texts))
    except SpecErrors as errors:
        # Characters that YAML has not, which JSON writes by half.
        assert {one.code for one in errors.diagnostics} <= {"E108", "E106"}  # noqa: PT017 (all others are tried)
        return
    text = rendered(tree, origins=True)
    assert documents(again(tree, text)) == documents(tree)
    assert [line for line in text.split("\n") if line and not line.split("  # ")[0].strip()] == []


def test_it_prints_neither_projects_nor_in_nor_defaults(tmp_path: Path) -> None:
    text = rendered(load(a_folder(tmp_path)))
    words = {line.strip().removeprefix("- ").partition(":")[0] for line in text.splitlines()}
    assert words.isdisjoint({"projects", "in", "defaults"})
    assert text.count("project: ") == 9, "each document says what it is for, but for Projects"


def test_two_projects_are_compared_line_by_line(tmp_path: Path) -> None:
    tree = load(a_folder(tmp_path))
    dev, prod = (set(rendered(tree, project).splitlines()) for project in ("dev", "prod"))
    assert {line.strip() for line in dev - prod} == {
        "name: dev",
        "projectId: acme-dev",
        "location: us-central1",
        "training: team/small.csv",
        "validation: team/small.csv",
        "epochCount: 1",
    }
    assert {line.strip() for line in prod - dev} >= {"epochCount: 4", "encryptionKey: {ref: tuning-key}"}


def test_layout_and_comments_of_the_specs_change_nothing(tmp_path: Path) -> None:
    one = rendered(load(written(tmp_path / "one", DEV, PROD, BUCKET, DATASET, JOB, MODEL)))
    texts = [
        f"# why\n{text}".replace("spec:\n", "spec: # what\n")
        for text in (MODEL, JOB, BUCKET, DATASET, PROD, DEV)
    ]
    two = load(written(tmp_path / "two", **{f"f{index}": text for index, text in enumerate(texts)}))
    assert rendered(two) == one


def test_origins_name_the_place_of_each_value_that_is_not_the_documents_own(tmp_path: Path) -> None:
    tree = load(a_folder(tmp_path))
    marked = {
        tuple(line.strip().split("  # "))
        for line in rendered(tree, origins=True).splitlines()
        if "  # " in line
    }
    where = {text: comment.replace(f"{tmp_path}/", "") for text, comment in marked}
    assert where == {
        "training: team/small.csv": "from team/a.yaml:6:19",
        "validation: team/small.csv": "from team/a.yaml:6:42",
        "validation:": "from prod/a.yaml:9:27",
        "encryptionKey: {ref: tuning-key}": where["encryptionKey: {ref: tuning-key}"],
        "epochCount: 1": "from team/a.yaml:16:39",
        "spec:": "gate: taken away at team/a.yaml:23:15",
    }
    assert where["encryptionKey: {ref: tuning-key}"].startswith("from prod/a.yaml:")


def test_the_command_prints_yaml_alone_or_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    a_folder(Path("specs"))
    told = CliRunner().invoke(cli, ["render", "--project", "dev"])
    assert (told.exit_code, told.stdout) == (0, rendered(load(Path("specs")), "dev"))

    missing = CliRunner().invoke(cli, ["render", "--project", "prd"])
    assert isinstance(missing.exception, SettingsError)
    assert missing.exception.render() == (
        "error[E300]: there is no Project 'prd' in specs\n   = remedy: did you mean 'prod'?"
    )

    written(Path("specs"), b=JOB.replace("words", "other"))
    wrong = CliRunner().invoke(cli, ["render"])
    assert wrong.stdout == ""
    assert isinstance(wrong.exception, SpecErrors)


def test_a_policy_for_all_projects_is_printed_for_each_and_read_back(tmp_path: Path) -> None:
    rule = "{rules: [{name: places, builtin: regions, params: {locations: [us-central1]}}]}"
    policy = f"apiVersion: tuneform.dev/v1\nkind: Policy\nmetadata: {{name: house}}\nspec: {rule}\n"
    written(tmp_path, DEV, PROD, policy)
    tree = load(tmp_path)
    text = rendered(tree)
    for path in tmp_path.glob("*.yaml"):
        path.unlink()

    assert text.count("kind: Policy") == 2
    assert [one.spec for one in again(tree, text).documents] == [one.spec for one in tree.documents]
