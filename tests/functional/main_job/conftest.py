"""A checkout with a running emulator; both end with the test module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.functional.main_job.checkout import Checkout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    made = Checkout.of_this_project(Path(tmp_path_factory.mktemp("checkout")))
    made.does("emulator", "start", "--port", "0")
    yield made
    made.run("emulator", "stop")
