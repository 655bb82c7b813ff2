"""Python runs this when it starts in a command's environment: attaches to the script before its first line.

Nothing here may break the script: what fails is said on stderr, and the script runs as it would have.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
HELPERS = ("--multiprocessing-fork", "from multiprocessing.", "import multiprocessing.")
"""In the command lines of processes that a script's own Python starts for itself: workers of data loaders, trackers."""


def _arguments() -> "list[str]":
    known = getattr(sys, "orig_argv", None)
    if known is not None:
        return list(known)
    with open("/proc/self/cmdline", "rb") as file:  # before Python 3.10
        return [word.decode(errors="replace") for word in file.read().split(b"\0")]


def _is_helper() -> bool:
    return any(word.startswith(HELPERS) for word in _arguments()[1:])


def _attach(plan: str) -> None:
    import importlib.util

    inside = os.path.dirname(HERE)
    spec = importlib.util.spec_from_file_location(
        "lesion_inside", os.path.join(inside, "__init__.py"), submodule_search_locations=[inside]
    )
    assert spec is not None and spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["lesion_inside"] = package
    spec.loader.exec_module(package)
    importlib.import_module("lesion_inside.attaching").attach(plan)


def _run_the_next() -> None:
    """The environment's own `sitecustomize`, which this one stands before."""
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    others = [entry for entry in sys.path if os.path.abspath(entry or ".") != HERE]
    spec = PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(module_from_spec(spec))


if os.environ.get("LESION_ATTACH") and not _is_helper():
    try:
        _attach(os.environ["LESION_ATTACH"])
    except Exception as error:
        print("could not attach to this Python: %s: %s" % (type(error).__name__, error), file=sys.stderr)
_run_the_next()
