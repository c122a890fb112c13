"""What is true of the files of this repository as a whole."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

REPOSITORY = Path(__file__).resolve().parents[3]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
LOCK = (REPOSITORY / "requirements.lock").read_text()
LOCKED = dict(re.findall(r"^([\w.-]+)==([^\s;\\]+)", LOCK, re.MULTILINE))

# What the file says of the machine it was written on, or of the index its packages came from. Each is put
# together from pieces, so that this file passes its own test.
HOSTS = (
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "proxy.golang" + ".org",
    "sum.golang" + ".org",
    "npmjs" + ".org",
)
MACHINE_PATH = re.compile(r"(?<![\w/.-])/" + r"(?:work|root|tmp)\b")


def written_files() -> Iterator[tuple[Path, str]]:
    """Each file that is, or would be, committed; found without git, which a machine that runs this may lack."""
    ignored = {line.strip("/") for line in (REPOSITORY / ".gitignore").read_text().splitlines()} | {".git"}
    for folder, folders, names in os.walk(REPOSITORY):
        folders[:] = [name for name in folders if name not in ignored]
        for path in (Path(folder, name) for name in names):
            yield path.relative_to(REPOSITORY), path.read_text(errors="replace")


def direct_dependencies() -> list[Requirement]:
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    return [Requirement(line) for group in groups for line in group]


def test_no_file_holds_the_address_of_a_package_registry() -> None:
    assert [str(path) for path, text in written_files() if any(host in text for host in HOSTS)] == []


def test_no_file_holds_a_path_of_the_machine_it_was_written_on() -> None:
    found = [f"{path}: {match[0]}" for path, text in written_files() if (match := MACHINE_PATH.search(text))]
    assert found == []


@pytest.mark.parametrize("text", ["cd /" + "work/main", '"/' + 'tmp/x"', "in /" + "root/.cache"])
def test_a_machine_path_would_be_found(text: str) -> None:
    assert MACHINE_PATH.search(text)


def test_every_locked_package_has_a_hash_and_no_address() -> None:
    entries = re.split(r"^(?=[\w.-]+==)", LOCK, flags=re.MULTILINE)
    assert entries[0] == ""
    assert len(entries) > len(direct_dependencies())
    for entry in entries[1:]:
        first, *rest = (line.strip().removesuffix(" \\") for line in entry.strip().splitlines())
        assert rest, f"{first} has no hash"
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", line) for line in rest), first
    assert "://" not in LOCK
    assert " @ " not in LOCK


def test_the_lock_holds_what_pyproject_asks_for() -> None:
    unmet = [
        str(wanted)
        for wanted in direct_dependencies()
        if not wanted.specifier.contains(LOCKED.get(wanted.name, "0"), prereleases=True)
    ]
    assert unmet == [], "run `make lock`"


def test_the_engine_has_one_version() -> None:
    from_lock = LOCKED["pulumi"]
    module = (REPOSITORY / "infra" / "engine" / "go.mod").read_text()
    code = (REPOSITORY / "infra" / "tuneform" / "entrypoints" / "engine.py").read_text()
    assert re.findall(r"github\.com/pulumi/pulumi/(?:pkg|sdk)/v3 v(\S+)", module) == [from_lock, from_lock]
    assert re.findall(r'^VERSION = "(.+)"$', code, re.MULTILINE) == [from_lock]
    assert re.findall(r"^MINIMUM = \((.+)\)$", code, re.MULTILINE) == [from_lock.replace(".", ", ")]


def test_ci_runs_the_test_command_of_the_readme() -> None:
    script = REPOSITORY / ".ci" / "run"
    command = script.read_text().rstrip().splitlines()[-1].removeprefix("exec ")
    assert command == "make test"
    readme = (REPOSITORY / "README.md").read_text().splitlines()
    assert command in [line.strip().removeprefix("$ ").partition("#")[0].strip() for line in readme]
    assert os.access(script, os.X_OK)


def test_make_explains_every_command() -> None:
    declared = re.findall(r"^\.PHONY: (.+)$", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    said = subprocess.run(
        ["make", "--no-print-directory"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    explained = [line.split(maxsplit=2)[1] for line in said.stdout.splitlines() if len(line.split()) > 4]
    assert sorted(explained) == sorted(declared[0].split())


DECISIONS = sorted((REPOSITORY / "docs" / "decisions").glob("*.md"))


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_says_what_was_chosen_from_what_and_what_would_change_it(page: Path) -> None:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    assert headings[1:] == ["Context", "Options", "Choice", "What would change it"]
    sections = re.split(r"^## .+$", page.read_text(), flags=re.MULTILINE)[1:]
    assert all(len(section.split()) > 10 for section in sections)


def test_every_direct_dependency_has_its_reason_written_down() -> None:
    page = (REPOSITORY / "docs" / "decisions" / "languages-and-libraries.md").read_text().lower()
    names = {
        dependency.name for dependency in direct_dependencies() if not dependency.name.startswith("types-")
    }
    assert sorted(name for name in names if name not in page) == []


def test_the_changelog_keeps_its_form() -> None:
    text = (REPOSITORY / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", version) for version in versions[1:])
    kinds = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
