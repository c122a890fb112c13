"""Settings of the command line: flag, then environment, then `[tool.tuneform]` or tuneform.toml, then a default."""

from __future__ import annotations

import json
import os
import sys
import tomllib
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from tuneform import capabilities
from tuneform.capabilities import Capabilities, prices
from tuneform.capabilities.prices import PriceTable
from tuneform.errors import MachineError, SettingsError

PROJECT_FILE = "Pulumi.yaml"
PROJECT_ROOT = "TUNEFORM_PROJECT_ROOT"
"""By this variable an engine that we start tells our provider where the project is: it starts it in the program's
folder, to which a link may have led."""
LOCAL_STACK = "local"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class Settings:
    """Where things are. `root` holds Pulumi.yaml (None away from a project); `home` holds all local state.

    `capabilities`, `price_flag` and `policy_flag` are what the flags gave.
    """

    root: Path | None
    home: Path
    file: dict[str, Any]
    capabilities: tuple[Path, ...] = ()
    price_flag: Path | None = None
    policy_flag: tuple[str, ...] = ()

    @classmethod
    def here(cls, capabilities: tuple[Path, ...] = (), prices: Path | None = None) -> Settings:
        """The settings that hold in the current folder."""
        return cls.at(Path.cwd(), capabilities, prices)

    @classmethod
    def at(cls, folder: Path, capabilities: tuple[Path, ...] = (), prices: Path | None = None) -> Settings:
        """The settings that hold in a folder: its project is the nearest one at or above it."""
        folder = folder.absolute()
        root = next((above for above in (folder, *folder.parents) if _is_project(above)), None)
        base = root or folder
        home = Path(os.environ.get("TUNEFORM_HOME", base / ".tuneform"))
        return cls(root, home.absolute(), _settings_file(base), capabilities, prices)

    def with_policies(self, bundles: tuple[str, ...]) -> Settings:
        """The same with the bundles of policies that a flag gave, if any."""
        return replace(self, policy_flag=bundles)

    def get(self, name: str, given: str | None = None) -> str | None:
        """One setting: the flag if given, else the environment's, else the file's, else None."""
        if given is not None:
            return given
        from_environment = os.environ.get(f"TUNEFORM_{name.upper()}")
        if from_environment:
            return from_environment
        value = self.file.get(name)
        return str(value) if value is not None else None

    def whole(self, name: str, given: int | None = None, *, least: int = 1) -> int | None:
        """One setting that is a whole number; None where it is not said.

        Raises:
            SettingsError: it is something else, or less than it may be.
        """
        text = self.get(name, None if given is None else str(given))
        if text is None:
            return None
        if not text.isdecimal() or int(text) < least:
            raise SettingsError(
                f"TUNEFORM_{name.upper()} is {text!r}", remedy=f"write a whole number, at least {least}"
            )
        return int(text)

    def at_once(self, given: int | None) -> int:
        """How many projects are worked on at once: the flag, else the setting `parallel`, else `PARALLEL`.

        Raises:
            SettingsError: it is no number, or less than one.
        """
        return self.whole("parallel", given) or PARALLEL

    def specs(self, given: Path | None) -> Path:
        """The spec folder: the one given, else the setting `specs`, else `specs` in the project.

        Relative to the current folder where it lies below it, as people like to read it in errors.
        """
        named = given or (self.root or Path.cwd()) / (self.get("specs") or "specs")
        return _as_people_read(named)

    def known(self) -> Capabilities:
        """What is known today of models and platforms, with the user's own files over what comes with tuneform.

        Raises:
            SettingsError: a setting is no such thing. What is wrong in the files is said with the specs.
        """
        return capabilities.on(capabilities.read(self.capability_files), self.today())

    def today(self) -> date:
        """The day on which models are near their retirement, or not: the setting `today`, else the clock's, in UTC."""
        given = self.get("today")
        if given is None:
            return datetime.now(UTC).date()
        try:
            return date.fromisoformat(given)
        except ValueError as error:
            raise SettingsError(
                f"the setting today is {given!r}, which is no day", remedy="write 2026-01-31"
            ) from error

    @property
    def capability_files(self) -> tuple[Path, ...]:
        """The files of the flag, else the environment's, else the settings file's: these are relative to its folder."""
        if self.capabilities:
            return self.capabilities
        if named := os.environ.get("TUNEFORM_CAPABILITIES"):
            return tuple(map(Path, named.split(os.pathsep)))
        value = self.file.get("capabilities", [])
        files = [value] if isinstance(value, str) else value
        if not isinstance(files, list) or not all(isinstance(file, str) for file in files):
            remedy = 'write capabilities = ["capabilities.toml"]'
            raise SettingsError("the setting capabilities is no list of files", remedy=remedy)
        return tuple(_as_people_read((self.root or Path.cwd()) / file) for file in files)

    @property
    def policies(self) -> tuple[str, ...]:
        """The bundles of policies of the flag, else of the setting `policies`.

        A relative path in a settings file counts from there.

        Raises:
            SettingsError: the setting is neither text nor a list of texts.
        """
        if self.policy_flag:
            return self.policy_flag
        if named := os.environ.get("TUNEFORM_POLICIES"):
            return tuple(one.strip() for one in named.split(",") if one.strip())
        value = self.file.get("policies", [])
        given = [value] if isinstance(value, str) else value
        if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
            raise SettingsError(
                "the setting policies is no list of bundles", remedy='write policies = ["house/policies"]'
            )
        base = self.root or Path.cwd()
        return tuple(one if "://" in one else str(_as_people_read(base / one)) for one in given)

    def prices(self) -> PriceTable:
        """What base models cost: the table that comes with tuneform, extended by the user's own.

        Raises:
            SettingsError: there is no such file.
            PriceErrors: what is wrong in it.
        """
        file = self.price_file
        return prices.builtin() if file is None else prices.builtin().extended(prices.read(file))

    @property
    def price_file(self) -> Path | None:
        """The file of the flag, else the environment's, else the settings file's, relative to its folder."""
        if self.price_flag is not None:
            return self.price_flag
        if named := os.environ.get("TUNEFORM_PRICES"):
            return Path(named)
        value = self.file.get("prices")
        if value is None:
            return None
        if not isinstance(value, str):
            raise SettingsError("the setting prices is no file", remedy='write prices = "prices.toml"')
        return _as_people_read((self.root or Path.cwd()) / value)

    def is_default(self, specs: Path) -> bool:
        """Whether these are the project's own specs."""
        return self.root is not None and specs.absolute() == self.specs(None).absolute()


def _as_people_read(named: Path) -> Path:
    """The path, relative to the current folder where it lies below it."""
    path = Path(os.path.abspath(named))  # noqa: PTH100 (unlike resolve, it leaves symlinks as people named them)
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _is_project(folder: Path) -> bool:
    return (folder / PROJECT_FILE).is_file() or (folder / "tuneform.toml").is_file()


def _settings_file(folder: Path) -> dict[str, Any]:
    own, shared = folder / "tuneform.toml", folder / "pyproject.toml"
    path = own if own.is_file() else shared
    if not path.is_file():
        return {}
    try:
        data = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: {error}", remedy="mend the file") from error
    section: dict[str, Any] = data if path == own else data.get("tool", {}).get("tuneform", {})
    return section


prices_option = click.option(
    "--prices",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Price table of your own (TOML; default: the setting `prices`).",
)
"""The flag by which a command is given a price table; it goes to `Settings.here`."""

capabilities_option = click.option(
    "--capabilities",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What you know of models, over what tuneform knows (docs/capabilities.md).",
)


@dataclass(frozen=True)
class Emulator:
    """A running emulator and the environment that sends everything to it."""

    endpoint: str
    env: dict[str, str]


def emulator_folder(settings: Settings) -> Path:
    """Where the emulator keeps its state."""
    return settings.home / "emulator"


def running_emulator(settings: Settings) -> Emulator:
    """The emulator that local stacks use, known to answer.

    Raises:
        MachineError: it is not running, or what answers is not it.
        SettingsError: TUNEFORM_ENDPOINT is no address, or not one of this machine.
    """
    given = settings.get("endpoint")
    file = emulator_folder(settings) / "emulator.json"
    recorded = json.loads(file.read_text()) if file.is_file() else {}
    endpoint = given or recorded.get("endpoint")
    if not endpoint:
        raise MachineError("the emulator is not running", remedy="start it with `tuneform emulator start`")
    _refuse_strangers(endpoint)
    import requests  # noqa: PLC0415 (a tenth of a second that `check` need not wait)

    try:
        answer = requests.get(f"{endpoint}/_emulator/health", timeout=5)
        answer.raise_for_status()
        told = answer.json().get("env", {})
    except requests.RequestException as error:
        started = "start it with `tuneform emulator start`"
        raise MachineError(
            f"no emulator answers at {endpoint}",
            remedy=f"TUNEFORM_ENDPOINT says to look there: unset it, then {started}" if given else started,
        ) from error
    env = dict(recorded.get("env", {})) if endpoint == recorded.get("endpoint") else {}
    return Emulator(endpoint, {**told, **env, "TUNEFORM_ENDPOINT": endpoint})


def _refuse_strangers(endpoint: str) -> None:
    """The emulator listens on loopback only; whatever else is given is a mistake, or somebody else's server."""
    try:
        address = urlsplit(endpoint)
        host = address.hostname if address.scheme == "http" and address.port != 0 else None
    except ValueError:
        host = None
    if host is None:
        raise SettingsError(
            f"TUNEFORM_ENDPOINT is {endpoint!r}, which is not an address such as http://127.0.0.1:8787",
            remedy="take the emulator's from `tuneform emulator env`",
        )
    if host not in LOOPBACK:
        raise SettingsError(
            f"TUNEFORM_ENDPOINT is {endpoint}, which is not on this machine",
            remedy="point it at the emulator (`tuneform emulator env`), or unset it to use Google Cloud",
        )


def local_environment(settings: Settings, emulator: Emulator) -> dict[str, str]:
    """What a local stack's engine needs: its state below `home`, everything sent to the emulator.

    On PATH come the emulator's stand-in for the gcp plugin, which no package registry has, and our own provider.
    """
    plugins = emulator.env.get("TUNEFORM_LOCAL_PLUGINS", "")
    return {
        **emulator.env,
        "PATH": os.pathsep.join([plugins, str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "PULUMI_BACKEND_URL": f"file://{made(settings.home / 'state')}",
        "PULUMI_HOME": str(made(settings.home / "pulumi")),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "TUNEFORM_PYTHON": sys.executable,
    }


PROVIDER_SETTINGS = {"rate": 2, "max_jobs": 1}
"""Settings that our provider reads from its environment, whichever way they were said, with the least they may be."""

PARALLEL = 4
"""So many projects are worked on at once, where nothing else is said."""

parallel_option = click.option(
    "--parallel",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"Work on so many projects at once, where the specs hold several (default: {PARALLEL}).",
)


def provider_environment(settings: Settings) -> dict[str, str]:
    """What the engine's environment has to say for our provider.

    Raises:
        SettingsError: it is no number, or less than it may be.
    """
    said = {name: settings.whole(name, least=least) for name, least in PROVIDER_SETTINGS.items()}
    return {f"TUNEFORM_{name.upper()}": str(value) for name, value in said.items() if value is not None}


def made(folder: Path) -> Path:
    """The folder, made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder
