"""A single-use worker: imports what is slow, says it is ready, takes one job, answers once."""

import ctypes
import errno
import gc
import importlib
import os
import resource
import socket
import sys
import traceback
from pathlib import Path
from typing import Any, BinaryIO, Callable, Dict, Iterator, List

from .gpu import gpu_memory
from .wire import MARK, receive, send

HERE = str(Path(__file__).resolve().parent)
NOT_THE_USERS = (HERE, importlib.__file__, "<frozen")
HEADROOM = 1 << 30
"""Address space beside the memory limit: allocator arenas and thread stacks reserve more than they use."""

LIBRARIES = 8 << 30
"""The same for a process that has yet to load its libraries."""
PR_SET_DUMPABLE = 4


def serve(job_socket: int, result_pipe: int) -> None:
    """Warm up, take one job from `job_socket`, send one result for each of its arms to `result_pipe`."""
    inbox = socket.socket(fileno=job_socket)
    warm_up, _ = receive(inbox)
    assert warm_up is not None
    _import_quietly(warm_up["modules"])
    if warm_up["modules"]:
        _pin(warm_up["threads"])
    send(result_pipe, {"event": "ready"})
    job, files = receive(inbox)
    inbox.close()
    if job is None:
        return
    if _is_command(job):
        _close_to_others()
    elif not warm_up["modules"]:
        _pin(warm_up["threads"])
    _limit(job["limits"], len(job["arms"]), uses_cuda=Path("/dev/nvidiactl").exists())
    for result in _results(job, dict(zip(job["files"], files))):  # noqa: B905
        sys.stdout.flush()
        sys.stderr.flush()
        send(result_pipe, {"event": "result", **gpu_memory(), **result})


def _pin(threads: int) -> None:
    from .seeding import pin  # imports torch, which a worker that only starts a command never needs

    pin(threads)


def _is_command(job: "Dict[str, Any]") -> bool:
    return job.get("experiment") == "command"


def _close_to_others() -> None:
    """A command is a process of its own: it must not reach our memory and files, the result pipe among them."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0)


def _results(job: "Dict[str, Any]", files: "Dict[str, BinaryIO]") -> "Iterator[Dict[str, Any]]":
    """The answer of each arm, in the order in which they end; what all that are left share fails once, for all of them."""
    asked: Iterator[Any] = iter(())
    marker = files.pop("mark", None)

    def begin() -> "Dict[str, Any]":
        nonlocal asked
        if _is_command(job):
            from .command import answers
        else:
            from .actions import answers

        asked = answers(job, files, Mark(marker) if marker else _unmarked)
        return {"next": next(asked, None)}

    step = begin
    while True:
        begun = _attempt(step)
        if begun["status"] != "ok":
            yield {**begun, "whole_job": True}
            return
        if begun["next"] is None:
            return
        part, answer = begun["next"]
        yield {**_attempt(answer), "part": part}
        step = lambda: {"next": next(asked, None)}  # noqa: E731


class Mark:
    """Tells whoever waits which arm runs, in a file that is read when nothing comes back: each time with a new number."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._number = file, 0

    def __call__(self, part: int) -> None:
        """This arm runs from now on."""
        self._number += 1
        os.pwrite(self._file.fileno(), MARK.pack(self._number, part), 0)


def _unmarked(_part: int) -> None:
    return


def _import_quietly(modules: "List[str]") -> None:
    """Import ahead what the experiment will import; what fails here fails again, with its traceback, in the trial.

    What a library makes as it is imported stays for good: the garbage collector need not look at it, now or in the trial.
    """
    gc.disable()
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception:
            continue
    gc.freeze()
    gc.enable()


def _limit(limits: "Dict[str, Any]", arms: int, uses_cuda: bool) -> None:
    """Hard limits from inside. Address space is never limited with CUDA, which reserves far more than it uses."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _lower(resource.RLIMIT_FSIZE, limits["disk"])
    _lower(resource.RLIMIT_CPU, int(limits["seconds"] * arms * (os.cpu_count() or 1)) + 60)
    _lower(resource.RLIMIT_NPROC, 4096)
    if not uses_cuda:
        room = HEADROOM if "torch" in sys.modules else LIBRARIES
        _lower(resource.RLIMIT_AS, _address_space() + limits["memory"] + room)


def _lower(which: int, value: int) -> None:
    hard = resource.getrlimit(which)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (value, value))


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _attempt(work: "Callable[[], Dict[str, Any]]") -> "Dict[str, Any]":
    """What `work` gives, or the named way in which it failed."""
    started = _cpu_seconds()
    try:
        found = work()
        return {"status": "ok", "cpu_seconds": _cpu_seconds() - started, **found}
    except (KeyboardInterrupt, Exception, SystemExit) as error:
        return _failed(error)


def _cpu_seconds() -> float:
    """Of this process and of those that it has waited for."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _failed(error: BaseException) -> "Dict[str, Any]":
    from .filling import Refused
    from .measured import Diverged, Invalid

    if isinstance(error, Refused):
        return {"status": "refused", "message": str(error)}
    if isinstance(error, Invalid):
        return {"status": "invalid", "message": str(error)}
    if isinstance(error, Diverged):
        return {"status": "diverged", "message": str(error)}
    return {"status": _status(error), **describe(error)}


def _status(error: BaseException) -> str:
    import torch

    if isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)) or "can't allocate memory" in str(error):
        return "out-of-memory"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "disk-full"
    if "No space left on device" in str(error) or "PytorchStreamWriter failed" in str(error):
        return "disk-full"
    return "out-of-memory" if isinstance(error, OSError) and error.errno == errno.ENOMEM else "crashed"


def describe(error: BaseException) -> "Dict[str, Any]":
    """`{"message", "traceback"}` with the user's own frames only."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(NOT_THE_USERS)
    ]
    lines: Iterator[str] = iter([*traceback.format_list(frames), *traceback.format_exception_only(type(error), error)])
    hint = ""
    if isinstance(error, OSError) and error.errno == errno.EROFS:
        hint = " (the project is read-only inside a trial: write to the folder that TMPDIR or HOME names)"
    if isinstance(error, SystemExit):
        hint = " (the experiment called sys.exit)"
    return {"message": f"{type(error).__name__}: {error}{hint}"[:2000], "traceback": "".join(lines)[-20000:]}
