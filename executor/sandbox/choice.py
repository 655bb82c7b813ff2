"""Picks a sandbox by a live self-test, never by the presence of a program."""

import json
import os
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..errors import SandboxError
from ..interpreter import Interpreter
from .bubblewrap import Bubblewrap, candidates
from .unsandboxed import Unsandboxed
from .view import Sandbox, View

PROBE = Path(__file__).resolve().parent.parent / "inside" / "probe.py"
TO_DO = (
    "install bubblewrap (`apt install bubblewrap`), allow user namespaces (`sysctl kernel.unprivileged_userns_clone=1`), "
    "or run trusted code with --unsafe-no-sandbox"
)


def choose(
    interpreter: Interpreter,
    unsafe_workspace: Path | None = None,
    among: Sequence[Bubblewrap] | None = None,
    *,
    layers: bool = False,
) -> Sandbox:
    """The first sandbox whose self-test passes, `among` these or all that this machine has; first those with `layers`, where asked for.

    `unsafe_workspace` says that the user asked for none and where plain processes may write. Raises `SandboxError` with
    every candidate's reason where nothing works.
    """
    if unsafe_workspace is not None:
        return Unsandboxed(unsafe_workspace)
    reasons: list[str] = []
    known = candidates() if among is None else among
    for sandbox in sorted(known, key=lambda one: not one.layers) if layers else known:
        problem = self_test(sandbox, interpreter)
        if problem is None:
            return sandbox
        reasons.append(f"{sandbox.executable}: {problem}")
    raise SandboxError("no sandbox works here: " + ("; ".join(reasons) or "no bwrap found"), to_do=TO_DO)


def self_test(sandbox: Sandbox, interpreter: Interpreter) -> str | None:
    """Run a probe that tries what must fail; None where everything was blocked, else what was not."""
    with tempfile.TemporaryDirectory(prefix="lesion-selftest-") as folder, socket.socket() as listener:
        project, secret = Path(folder, "project"), Path(folder, "secret")
        project.mkdir()
        secret.write_text("canary")
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        view = View(project=project, readable=(*interpreter.paths, PROBE.parent), environment=interpreter.environment)
        arguments = [str(secret), str(project / "written"), str(listener.getsockname()[1])]
        return _verdict(_probe(sandbox, view, [str(interpreter.executable), str(PROBE), *arguments]))


def _probe(sandbox: Sandbox, view: View, command: Sequence[str]) -> "subprocess.CompletedProcess[str] | str":
    launch = sandbox.launch(view, command)
    try:
        return subprocess.run(
            launch.argv,
            env={**launch.environment},
            pass_fds=launch.keep,
            cwd=launch.cwd,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    finally:
        for descriptor in launch.keep:
            os.close(descriptor)


def _verdict(run: "subprocess.CompletedProcess[str] | str") -> str | None:
    if isinstance(run, str):
        return run
    try:
        succeeded: list[str] = json.loads(run.stdout)
    except ValueError:
        return (run.stderr.strip() or f"exit code {run.returncode}")[:500]
    return f"it does not hold back: {', '.join(succeeded)}" if succeeded else None
