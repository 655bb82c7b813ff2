"""The two that every attack is run on: the sandbox, and plain processes to show that the attack works."""

from pathlib import Path

from lesion.executor.sandbox.unsandboxed import Unsandboxed
from lesion.executor.sandbox.view import Sandbox

from ..executor.laboratory import sandbox

BACKENDS = ["sandbox", "plain"]


def backend(name: str, folder: Path) -> Sandbox:
    """`sandbox` or `plain`, whose processes may write beside `folder`."""
    return sandbox() if name == "sandbox" else Unsandboxed(folder.with_name(f"{folder.name}-workspace"))
