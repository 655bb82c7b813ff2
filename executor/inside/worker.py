"""A single-use worker: imports what is slow, says it is ready, takes one job, answers once."""

import errno
import importlib
import os
import resource
import socket
import sys
import time
import traceback
from pathlib import Path
from typing import Any, BinaryIO, Callable, Dict, Iterator, List

from .wire import receive, send

HERE = str(Path(__file__).resolve().parent)
NOT_THE_USERS = (HERE, importlib.__file__, "<frozen")
HEADROOM = 1 << 30
"""Address space beside the memory limit: allocator arenas and thread stacks reserve more than they use."""


def serve(job_socket: int, result_pipe: int) -> None:
    """Warm up, take one job from `job_socket`, send one result for each of its arms to `result_pipe`."""
    inbox = socket.socket(fileno=job_socket)
    warm_up, _ = receive(inbox)
    assert warm_up is not None
    _import_quietly(warm_up["modules"])
    from .seeding import pin

    pin(warm_up["threads"])
    send(result_pipe, {"event": "ready"})
    job, files = receive(inbox)
    inbox.close()
    if job is None:
        return
    _limit(job["limits"], len(job["arms"]), uses_cuda=Path("/dev/nvidiactl").exists())
    for result in _results(job, dict(zip(job["files"], files))):  # noqa: B905
        sys.stdout.flush()
        sys.stderr.flush()
        send(result_pipe, {"event": "result", **result})


def _results(job: "Dict[str, Any]", files: "Dict[str, BinaryIO]") -> "Iterator[Dict[str, Any]]":
    """The answer of each arm; what fails before the first is said once, for all of them."""
    asked: Iterator[Any] = iter(())

    def begin() -> "Dict[str, Any]":
        nonlocal asked
        from .actions import answers

        asked = answers(job, files)
        return {"first": next(asked)}

    begun = _attempt(begin)
    if begun["status"] != "ok":
        yield {**begun, "whole_job": True}
        return
    one = begun["first"]
    while one is not None:
        yield _attempt(one)
        one = next(asked, None)


def _import_quietly(modules: "List[str]") -> None:
    """Import ahead what the experiment will import; what fails here fails again, with its traceback, in the trial."""
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception:
            continue


def _limit(limits: "Dict[str, Any]", arms: int, uses_cuda: bool) -> None:
    """Hard limits from inside. Address space is never limited with CUDA, which reserves far more than it uses."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _lower(resource.RLIMIT_FSIZE, limits["disk"])
    _lower(resource.RLIMIT_CPU, int(limits["seconds"] * arms * (os.cpu_count() or 1)) + 60)
    _lower(resource.RLIMIT_NPROC, 4096)
    if not uses_cuda:
        _lower(resource.RLIMIT_AS, _address_space() + limits["memory"] + HEADROOM)


def _lower(which: int, value: int) -> None:
    hard = resource.getrlimit(which)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (value, value))


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _attempt(work: "Callable[[], Dict[str, Any]]") -> "Dict[str, Any]":
    """What `work` gives, or the named way in which it failed."""
    from .filling import Refused
    from .measured import Diverged, Invalid

    started = time.process_time()
    try:
        return {"status": "ok", **work(), "cpu_seconds": time.process_time() - started}
    except Refused as refusal:
        return {"status": "refused", "message": str(refusal)}
    except Invalid as problem:
        return {"status": "invalid", "message": str(problem)}
    except Diverged as problem:
        return {"status": "diverged", "message": str(problem)}
    except (KeyboardInterrupt, Exception, SystemExit) as error:
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
