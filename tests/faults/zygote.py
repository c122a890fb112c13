"""A process that has imported the command line and forks a child for each run of it: a second saved a run.

It has opened no channel and started no thread, so that a child is what `tuneform ARGUMENTS` would be once imported;
`test_harness.py` compares the two. Requests come on a Unix socket, one connection a run, one JSON line each:

    → {"arguments": […], "folder": "…", "env": {…}, "output": "…"}
    ← {"pid": 123}
    ← {"code": 0}      or {"code": -9}, when a signal ended it

It ends when its standard input does, so it never outlives the tests.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import selectors
import socket
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

IMPORTED = (
    "google.cloud.storage",
    "tuneform.entrypoints.cli.apply",
    "tuneform.entrypoints.cli.plan",
    "tuneform.platforms.vertex",
)
"""What the commands import, sooner or later."""


@dataclass(frozen=True)
class Child:
    """A run under way: its process, the connection that asked for it, and a pipe that closes when it ends."""

    pid: int
    asked: socket.socket
    alive: int


def serve(place: str) -> dict[str, Any] | None:
    """Fork children until standard input ends. Returns None then, and in each child what it was asked to be."""
    children: dict[int, Child] = {}
    with socket.socket(socket.AF_UNIX) as listener, selectors.DefaultSelector() as selector:
        listener.bind(place)
        listener.listen()
        selector.register(sys.stdin, selectors.EVENT_READ)
        selector.register(listener, selectors.EVENT_READ)
        print("ready", flush=True)  # noqa: T201 (its one line of output)
        while True:
            for key, _ in selector.select():
                if key.fileobj is sys.stdin:
                    return None
                if key.fileobj is listener:
                    child, request = _begin(listener)
                    if child is None:
                        return request
                    children[child.alive] = child
                    selector.register(child.alive, selectors.EVENT_READ)
                else:
                    selector.unregister(key.fd)
                    _end(children.pop(key.fd))


def _begin(listener: socket.socket) -> tuple[Child | None, dict[str, Any]]:
    """Take a request and fork; no child in the child."""
    asked, _ = listener.accept()
    with asked.makefile("rb") as lines:
        request: dict[str, Any] = json.loads(lines.readline())
    # Nobody writes into it: its other end closes when the child has ended. What the child executes does not get it.
    alive, held = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(alive)
        asked.close()
        return None, request
    os.close(held)
    _tell(asked, {"pid": pid})
    return Child(pid, asked, alive), request


def _end(child: Child) -> None:
    _, status = os.waitpid(child.pid, 0)
    os.close(child.alive)
    _tell(child.asked, {"code": os.waitstatus_to_exitcode(status)})
    child.asked.close()


def _tell(asked: socket.socket, answer: dict[str, int]) -> None:
    # Whoever asked may be gone already: then nobody waits for it.
    with contextlib.suppress(OSError):
        asked.sendall(json.dumps(answer).encode() + b"\n")


def become(request: dict[str, Any]) -> None:
    """Make this process what a shell would have made for the command."""
    os.setpgrp()
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["env"])
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.argv = ["tuneform", *request["arguments"]]
    # The name by which a process tells itself from others is drawn when this is imported.
    importlib.reload(importlib.import_module("tuneform.reconcile.holders"))


def main() -> None:
    """Serve at the socket named by the first argument; a child runs the command and ends as it does."""
    for name in IMPORTED:
        importlib.import_module(name)
    command = importlib.import_module("tuneform.entrypoints.cli.main")
    threads = len(list(Path("/proc/self/task").iterdir())) if Path("/proc").is_dir() else 1
    assert max(threads, threading.active_count()) == 1, "a process with threads cannot be forked soundly"
    request = serve(sys.argv[1])
    if request is not None:
        become(request)
        command.main()


if __name__ == "__main__":
    main()
