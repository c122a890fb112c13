"""A folder with policies, an emulator with many projects, and `tuneform audit` between them."""

from __future__ import annotations

import io
import os
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from tests.faults.control import Control
from tests.functional.audit.seeding import Seeds
from tests.functional.commands.conftest import Ended, Shop
from tests.functional.emulators import Emulator

from tuneform.entrypoints.cli.main import main

POLICIES = """\
apiVersion: tuneform.dev/v1
kind: Policy
metadata: {name: house}
spec:
  rules:
    - {name: key, builtin: cmek-required}
    - {name: labels, builtin: required-labels, params: {labels: [team]}}
    - {name: never-public, builtin: public-access-prevention}
    - {name: epochs, builtin: max-epochs, params: {most: 4}}
    - {name: gate, builtin: gate-required, enforcement: warn}
    - {name: accounts, builtin: dedicated-service-account, enforcement: audit}
"""


@dataclass
class Office:
    """Whoever audits: `shop` runs the command in a folder, `seeds` says what there is to be found."""

    shop: Shop
    seeds: Seeds

    @property
    def control(self) -> Control:
        return self.shop.control

    def projects(self, *lines: str) -> None:
        (self.shop.folder / "projects.txt").write_text("".join(f"{line}\n" for line in lines))

    def policies(self, text: str) -> None:
        (self.shop.folder / "policies.yaml").write_text(text)

    def run(self, *arguments: str) -> Ended:
        """Run `tuneform` to its end in this process, which spares a second to load Google's clients each time."""
        out, err, code = io.StringIO(), io.StringIO(), 0
        with (
            patch.dict(os.environ, self.shop.env, clear=True),
            patch.object(sys, "argv", ["tuneform", *arguments]),
            chdir(self.shop.folder),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            try:
                main()
            except SystemExit as ended:
                code = int(ended.code or 0)
        return Ended(code, out.getvalue(), err.getvalue())

    def audit(self, *arguments: str) -> Ended:
        return self.run("audit", "--projects", "projects.txt", *arguments)

    def found(self, *arguments: str) -> dict[str, Any]:
        """What the audit says as JSON."""
        ended = self.audit("--format", "json", *arguments)
        assert ended.out, ended.err
        return ended.json

    def reads(self, since: int = 0) -> list[str]:
        """The calls so far, as `METHOD path` without page tokens."""
        return [f"{call.method} {call.path.partition('?')[0]}" for call in self.control.log(since)]


@pytest.fixture
def office(emulator: Emulator, tmp_path: Path) -> Office:
    folder = tmp_path / "office"
    folder.mkdir()
    (folder / "tuneform.toml").write_text('policies = ["policies.yaml"]\n')
    shop = Shop(folder, emulator, Control(emulator.endpoint))
    office = Office(shop, Seeds(emulator.world.store))
    office.policies(POLICIES)
    return office


def broken(found: dict[str, Any], rule: str) -> set[tuple[str, str, str]]:
    """Project, kind and name of what breaks a rule."""
    return {(b["project"], b["kind"], b["name"]) for b in found["breaches"] if b["rule"] == rule}
