"""`lesion doctor`: what works here, and what to do about the rest."""

import json as jsonlib
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..finding import Finding
from .options import Json

if TYPE_CHECKING:
    from ...executor.sandbox.view import Sandbox


def doctor(
    interpreter: Annotated[
        Path | None, typer.Option(help="The Python that runs your experiments.", show_default="this one")
    ] = None,
    json: Json = False,
) -> None:
    """Look at Python, torch, the sandbox (by a live self-test), cores, memory, GPUs and the model endpoint."""
    findings = list(_findings(interpreter or Path(sys.executable)))
    if json:
        typer.echo(jsonlib.dumps({"findings": [one._asdict() for one in findings]}, indent=1))
    else:
        for one in findings:
            typer.echo(one.line)
    raise typer.Exit(2 if any(one.works is False for one in findings) else 0)


def _layers(sandbox: "Sandbox") -> Finding:
    """Whether scripts may write beside themselves."""
    what, without = (
        "scripts that write beside themselves",
        "a project is read-only in a trial: give their folder as {out}",
    )
    if getattr(sandbox, "layers", False):
        return Finding(what, True, "into a layer that is thrown away")
    return Finding(
        what, None, without, "install bubblewrap 0.11 or newer, on a kernel with overlays in user namespaces"
    )


def _findings(interpreter: Path) -> Iterator[Finding]:
    from ...executor.errors import LesionError
    from ...executor.interpreter import examine
    from ...executor.sandbox.choice import choose
    from ...executor.units import format_size
    from ..machine import free_memory, machine, package_version
    from .endpoint import endpoint

    yield Finding("lesion", True, f"{package_version()} on Python {platform.python_version()}")
    try:
        examined = examine(interpreter)
        yield Finding("torch", True, f"{examined.torch} on Python {examined.version} ({examined.executable})")
        sandbox = choose(examined)
        seccomp = "" if "no seccomp" not in sandbox.name else "install libseccomp2 for the system-call filter"
        yield Finding("sandbox", True, f"{sandbox.name}: self-test passed", seccomp)
        yield _layers(choose(examined, layers=True))
    except LesionError as error:
        yield Finding("sandbox or torch", False, error.what, error.to_do or "")
    facts = machine()
    yield Finding("cores", True, f"{facts['cores']} ({facts['cpu']})")
    yield Finding("memory", True, f"{format_size(free_memory())} free of {format_size(facts['memory_bytes'])}")
    gpus = sorted(path.name for path in Path("/dev").glob("nvidia[0-9]*"))
    yield Finding("GPU", True if gpus else None, ", ".join(gpus) or "none: trials run on the CPU")
    yield Finding("model endpoint", *endpoint())
