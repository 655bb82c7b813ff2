"""What happens inside a script's own Python: seeds, the model at its first call, and a report of both when it ends.

Started by `attach/sitecustomize.py`, before the script's first line; standard library only until the script itself has
imported torch.
"""

import atexit
import json
import os
import sys
import time
import traceback
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence

from .reseeding import Seeds

HERE = str(Path(__file__).resolve().parent)
NOT_THE_USERS = (HERE, "<frozen")
LONGEST = 20000
"""Characters of a traceback."""


class Session:
    """One attached Python: gathers what is seen, and writes it down once, at the end."""

    def __init__(self, plan: "Dict[str, Any]") -> None:
        self.plan, self.pid, self.written = plan, os.getpid(), False
        self.seeds = Seeds(plan["seed"], plan["seeding"])
        self.follower: Any = None
        self.problems: List[str] = []
        self.stopped = False
        self._exit = os._exit

    @property
    def here(self) -> bool:
        """Whether this is the process that was attached to, and no fork of it."""
        return os.getpid() == self.pid

    def torch_is_there(self, torch: ModuleType) -> None:
        """The script has imported torch: seed it, and wait for its first module."""
        self.seeds.take_torch(torch)
        from .following import Follower

        self.follower = Follower(self.plan, self)
        self.follower.begin()

    def stop(self) -> None:
        """End the script here and now, and well: all that was asked has been seen."""
        self.stopped = True
        self.exit(0)

    def exit(self, code: int) -> None:
        """In place of `os._exit`, which runs nothing that was registered for the end."""
        if self.here:
            self.write()
            sys.stdout.flush()
            sys.stderr.flush()
        self._exit(code)

    def write(self) -> None:
        """Write the report, once; a fork of the script writes none."""
        if self.written or not self.here:
            return
        self.written = True
        report: Dict[str, Any] = {
            "ended_at": time.time(),
            "arguments": sys.argv,
            "stopped": self.stopped,
            "seeds": self.seeds.told(),
            "error": _error(),
            "environment": {"python": sys.version.split()[0]},
        }
        try:
            report.update(self.follower.report() if self.follower else {})
        except Exception as error:
            self.problems.append("the model could not be described: %s: %s" % (type(error).__name__, error))
        report["problems"] = self.problems
        name = os.path.join(self.plan["reports"], "%d-%d" % (self.pid, time.monotonic_ns()))
        with open(name + ".part", "w") as file:
            json.dump(report, file)
        os.replace(name + ".part", name + ".json")


class Watch:
    """A finder that loads nothing: it has a function called once a module of a certain name has been imported."""

    def __init__(self, functions: "Dict[str, Callable[[ModuleType], None]]", session: Session) -> None:
        self._functions, self._session, self._finding = functions, session, False

    def find_spec(
        self, name: str, path: "Optional[Sequence[str]]" = None, target: Any = None
    ) -> "Optional[ModuleSpec]":
        """The spec that Python would find anyway, with a loader that tells when it is done."""
        if name not in self._functions or self._finding:
            return None
        others: Iterator[Any] = (finder for finder in sys.meta_path if finder is not self)
        self._finding = True  # another that asks all the others would come back to us
        try:
            spec = next(filter(None, (finder.find_spec(name, path, target) for finder in others)), None)
        finally:
            self._finding = False
        if spec is None or spec.loader is None or isinstance(spec.loader, type) or not self._session.here:
            return spec
        loader: Any = spec.loader
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            loader.exec_module = execute
            execute(module)
            self.tell(name, module)

        loader.exec_module = exec_module
        return spec

    def tell(self, name: str, module: ModuleType) -> None:
        """Call the function, once; the script goes on whatever it does."""
        function = self._functions.pop(name, None)
        if function is None:
            return
        try:
            function(module)
        except Exception as error:
            self._session.problems.append("%s: %s: %s" % (name, type(error).__name__, error))


def attach(path: str) -> None:
    """Attach to this Python as the plan in the file at `path` says."""
    with open(path) as file:
        session = Session(json.load(file))
    functions: Dict[str, Callable[[ModuleType], None]] = {
        "random": session.seeds.take_random,
        "numpy.random": session.seeds.take_numpy,
        "torch": session.torch_is_there,
    }
    watch = Watch(functions, session)
    sys.meta_path.insert(0, watch)  # type: ignore[arg-type]
    for name in list(functions):
        if name in sys.modules:
            watch.tell(name, sys.modules[name])
    atexit.register(session.write)
    os._exit = session.exit  # type: ignore[assignment]


def _error() -> "Optional[Dict[str, Any]]":
    """The exception that ended the script, if one did: Python notes it before any hook of the script's own."""
    error = getattr(sys, "last_value", None)
    if error is None:
        return None
    frames = [one for one in traceback.extract_tb(error.__traceback__) if not one.filename.startswith(NOT_THE_USERS)]
    text = "".join([*traceback.format_list(frames), *traceback.format_exception_only(type(error), error)])
    return {
        "type": type(error).__name__,
        "kinds": [one.__name__ for one in type(error).__mro__],
        "message": str(error)[:2000],
        "errno": getattr(error, "errno", None),
        "name": getattr(error, "name", None),
        "traceback": text[-LONGEST:],
    }
