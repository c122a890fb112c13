"""The emulator as a process of its own: started, found again, stopped, by a state directory.

The directory holds `emulator.db` (all state), `emulator.log`, and while it runs `emulator.json`: pid, ports,
endpoints and the environment that clients need. A record left by a process that is gone is cleaned up and said so;
a pid counts as ours only when the health call on the recorded port answers with that same pid, or when the process
bears our name and is too busy to answer.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
START_SECONDS = 15.0
STOP_SECONDS = 10.0
PREFERRED_PORT = 8787
DEFAULT_DIR = Path(".tuneform/emulator")
LOG_TAIL = 15
QUICK_SECONDS = 2.0
PATIENT_SECONDS = 10.0
STEP = 0.05


class DaemonError(Exception):
    """The daemon cannot do what was asked; `remedy` says what to do now."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True)
class Running:
    """An emulator that answers."""

    pid: int
    port: int
    endpoint: str
    grpc: str
    """Where the gRPC side is, e.g. "127.0.0.1:43210"."""
    env: dict[str, str]
    manual_clock: bool = False


@dataclass(frozen=True)
class State:
    """The files of one emulator."""

    root: Path

    @property
    def database(self) -> Path:
        """All that the services remember."""
        return self.root / "emulator.db"

    @property
    def log(self) -> Path:
        """What the server wrote."""
        return self.root / "emulator.log"

    @property
    def record(self) -> Path:
        """Who runs, and where."""
        return self.root / "emulator.json"

    @property
    def last_port(self) -> Path:
        """The port of the last run, which the next one prefers."""
        return self.root / "port"

    @property
    def last_grpc_port(self) -> Path:
        """The port of the last run's gRPC side, which the next one prefers."""
        return self.root / "grpc-port"


def environment(port: int, grpc: str) -> dict[str, str]:
    """What a local run needs to talk to the emulator on a port, and on its gRPC side."""
    endpoint = f"http://{HOST}:{port}"
    plugins = Path(__file__).resolve().parent / "gcp_plugin" / "bin"
    return {
        "TUNEFORM_ENDPOINT": endpoint,
        "TUNEFORM_GRPC_ENDPOINT": grpc,
        "STORAGE_EMULATOR_HOST": endpoint,
        "PULUMI_CONFIG_PASSPHRASE": "",
        "TUNEFORM_LOCAL_PLUGINS": str(plugins),
    }


def write_record(state: State, running: Running) -> None:
    """Notes who runs; written whole or not at all."""
    record = {
        "pid": running.pid,
        "port": running.port,
        "endpoint": running.endpoint,
        "grpc": running.grpc,
        "env": running.env,
        "manualClock": running.manual_clock,
    }
    scratch = state.record.with_suffix(".new")
    scratch.write_text(json.dumps(record, indent=2) + "\n")
    scratch.replace(state.record)
    state.last_port.write_text(f"{running.port}\n")
    state.last_grpc_port.write_text(f"{running.grpc.rpartition(':')[2]}\n")


def read_record(state: State) -> Running | None:
    """The noted process, whether it runs or not; None when there is no note or it is not readable as one."""
    try:
        record = json.loads(state.record.read_text())
        return Running(
            int(record["pid"]),
            int(record["port"]),
            str(record["endpoint"]),
            str(record.get("grpc", "")),
            dict(record["env"]),
            bool(record.get("manualClock")),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def ask(port: int, path: str, seconds: float = QUICK_SECONDS) -> dict[str, Any] | None:
    """The JSON that an emulator on a port answers, None when none does; raises TimeoutError."""
    with closing(http.client.HTTPConnection(HOST, port, timeout=seconds)) as connection:
        try:
            connection.request("GET", path)
            value = json.load(connection.getresponse())
        except TimeoutError:
            raise
        except (OSError, ValueError, http.client.HTTPException):
            return None
    return value if isinstance(value, dict) else None


def tell(port: int, path: str, body: Mapping[str, Any]) -> None:
    """Posts JSON to an emulator on a port; raises `DaemonError` when it does not take it."""
    with closing(http.client.HTTPConnection(HOST, port, timeout=PATIENT_SECONDS)) as connection:
        try:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise DaemonError(f"The emulator on port {port} does not answer: {error}.") from error
    if answer.status != 200:
        raise DaemonError(f"The emulator on port {port} refused: {text}")


def health_pid(port: int, seconds: float = QUICK_SECONDS) -> int | None:
    """The pid of the emulator that answers on a port; raises TimeoutError."""
    answer = ask(port, "/_emulator/health", seconds)
    return answer["pid"] if answer and isinstance(answer.get("pid"), int) else None


def find(state: State) -> tuple[Running | None, str]:
    """The emulator of this directory, and a sentence for people about anything odd that was met on the way."""
    noted = read_record(state)
    if noted is None:
        stale = state.record.exists()
        state.record.unlink(missing_ok=True)
        return None, f"Removed {state.record}: it could not be read." if stale else ""
    try:
        if health_pid(noted.port, PATIENT_SECONDS) == noted.pid:
            return noted, ""
    except TimeoutError:
        if __package__ in command_line(noted.pid):
            return noted, f"Process {noted.pid} is there but has not answered for {PATIENT_SECONDS:.0f} s."
    why = "is not our emulator" if command_line(noted.pid) else "is gone"
    if read_record(state) == noted:
        # Unless a start that runs at the same time has put its own in its place meanwhile.
        state.record.unlink(missing_ok=True)
    return None, f"Removed a stale {state.record}: process {noted.pid} {why}."


def command_line(pid: int) -> str:
    """What a process was started as, "" when it has ended (a zombie has)."""
    proc = Path("/proc") / str(pid)
    if Path("/proc/self/stat").exists():
        try:
            if proc.joinpath("stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return ""
            return proc.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace") or "?"
        except OSError:
            return ""
    listed = subprocess.run(  # noqa: S603 - the process list, by an integer
        ["/bin/ps", "-o", "stat=,args=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return "" if listed.startswith("Z") else listed


@contextmanager
def alone(state: State) -> Iterator[None]:
    """Holds off other starts, stops and resets of this directory while the block runs."""
    state.root.mkdir(parents=True, exist_ok=True)
    with (state.root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def listen(port: int) -> socket.socket:
    """A socket bound to loopback, port 0 for any free one; raises OSError when the port is taken."""
    # The protocol is named because asyncio turns Nagle's delay off only where it is: 40 ms an answer otherwise.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # Without it a restart has to wait for the old connections' TIME_WAIT; a port in use is refused all the same.
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
        bound.listen(128)
    except OSError:
        bound.close()
        raise
    return bound


def choose_port(state: State, asked: int) -> socket.socket:
    """A bound socket: the port asked for or nothing; else the last one, the usual one, any free one."""
    if asked:
        try:
            return listen(asked)
        except OSError as error:
            raise port_taken(asked) from error
    for port in dict.fromkeys((read_port(state.last_port) or PREFERRED_PORT, PREFERRED_PORT)):
        try:
            return listen(port)
        except (OSError, OverflowError):
            continue
    return listen(0)


def read_port(noted: Path) -> int:
    """A port that an earlier run noted, 0 when there is none."""
    try:
        return int(noted.read_text())
    except (OSError, ValueError):
        return 0


def port_taken(port: int) -> DaemonError:
    """The error for a port in use, naming the emulator that holds it when it is one."""
    try:
        pid = health_pid(port)
    except TimeoutError:
        pid = None
    holder = f"another tuneform emulator (pid {pid})" if pid else "another process"
    stop = f"stop it (kill {pid}, or `stop --dir` with its directory)" if pid else "stop that process"
    return DaemonError(
        f"Port {port} is in use by {holder}.", f"Choose another with --port, leave --port out, or {stop}."
    )


def start(state: State, port: int, *, manual_clock: bool = False, settings: Sequence[str] = ()) -> Running:
    """Starts `serve` in a session of its own and waits until it answers; `settings` are `name=value` words.

    Raises `DaemonError` when the port is taken or the server does not answer in time.
    """
    state.root.mkdir(parents=True, exist_ok=True)
    with choose_port(state, port) as bound, state.log.open("ab") as log:
        command = [
            sys.executable,
            "-m",
            __package__,
            "serve",
            "--dir",
            str(state.root),
            "--fd",
            str(bound.fileno()),
            *(["--manual-clock"] if manual_clock else []),
            *(part for word in settings for part in ("--set", word)),
        ]
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=(bound.fileno(),),
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        noted = read_record(state)
        if noted and noted.pid == process.pid and answers(noted):
            return noted
        time.sleep(STEP)
    ended = process.poll()
    if ended is None:
        process.kill()
        process.wait()
    what = "did not answer in time" if ended is None else f"ended with code {ended}"
    raise DaemonError(f"The emulator {what}. The end of {state.log}:\n{tail(state.log)}")


def answers(noted: Running) -> bool:
    """Whether the process answers right now."""
    try:
        return health_pid(noted.port) == noted.pid
    except TimeoutError:
        return False


def tail(log: Path) -> str:
    """The last lines of the log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-LOG_TAIL:])


def stop(state: State, running: Running) -> None:
    """Ends the process: asked first, killed when it does not listen; raises `DaemonError` when neither helps."""
    for sign, patience in ((signal.SIGTERM, STOP_SECONDS + 2), (signal.SIGKILL, STOP_SECONDS)):
        try:
            os.kill(running.pid, sign)
        except ProcessLookupError:
            break
        if gone(running.pid, patience):
            break
    else:
        raise DaemonError(f"Process {running.pid} does not end.", f"End it by hand: kill -9 {running.pid}")
    state.record.unlink(missing_ok=True)


def gone(pid: int, patience: float) -> bool:
    """Waits until a process has ended, at most `patience` seconds."""
    deadline = time.monotonic() + patience
    while command_line(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(STEP)
    return True


def wipe(state: State) -> None:
    """Deletes all state of the services; the log and the preferred port stay."""
    for suffix in ("", "-wal", "-shm"):
        state.database.with_name(state.database.name + suffix).unlink(missing_ok=True)
