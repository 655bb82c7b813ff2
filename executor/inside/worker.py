"""A single-use worker: imports what is slow, says it is ready, takes one job, answers once."""

import errno
import importlib
import json
import os
import platform
import resource
import sys
import time
import traceback
from pathlib import Path
from typing import Any, Dict, Iterator, List

from .wire import send

HERE = str(Path(__file__).resolve().parent)
NOT_THE_USERS = (HERE, importlib.__file__, "<frozen")
HEADROOM = 1 << 30
"""Address space beside the memory limit: allocator arenas and thread stacks reserve more than they use."""


def serve(job_pipe: int, result_pipe: int) -> None:
    """Warm up, take one job from `job_pipe`, run it, send one result to `result_pipe`."""
    jobs = open(job_pipe, "rb")
    warm_up: Dict[str, Any] = json.loads(next(jobs))
    _import_quietly(warm_up["modules"])
    from .seeding import pin

    pin(warm_up["threads"])
    send(result_pipe, {"event": "ready"})
    line = jobs.readline()
    jobs.close()
    if not line:
        return
    job: Dict[str, Any] = json.loads(line)
    _limit(job["limits"], uses_cuda=Path("/dev/nvidiactl").exists())
    result = _answer(job)
    sys.stdout.flush()
    sys.stderr.flush()
    send(result_pipe, {"event": "result", **result})


def _import_quietly(modules: "List[str]") -> None:
    """Import ahead what the experiment will import; what fails here fails again, with its traceback, in the trial."""
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception:
            continue


def _limit(limits: "Dict[str, Any]", uses_cuda: bool) -> None:
    """Hard limits from inside. Address space is never limited with CUDA, which reserves far more than it uses."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _lower(resource.RLIMIT_FSIZE, limits["disk"])
    _lower(resource.RLIMIT_CPU, int(limits["seconds"] * (os.cpu_count() or 1)) + 60)
    _lower(resource.RLIMIT_NPROC, 4096)
    if not uses_cuda:
        _lower(resource.RLIMIT_AS, _address_space() + limits["memory"] + HEADROOM)


def _lower(which: int, value: int) -> None:
    hard = resource.getrlimit(which)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (value, value))


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _answer(job: "Dict[str, Any]") -> "Dict[str, Any]":
    from .experiment import Diverged, Invalid
    from .surgery import Refused

    try:
        return {"status": "ok", **_act(job)}
    except Refused as refusal:
        return {"status": "refused", "message": str(refusal)}
    except Invalid as problem:
        return {"status": "invalid", "message": str(problem)}
    except Diverged as problem:
        return {"status": "diverged", "message": str(problem)}
    except (KeyboardInterrupt, Exception, SystemExit) as error:
        return {"status": _status(error), **describe(error)}


def _act(job: "Dict[str, Any]") -> "Dict[str, Any]":
    if job["action"] == "ping":
        return {}
    os.chdir(job["cwd"])
    from .experiment import Run, plain_results

    run = Run(job)
    if job["action"] == "trial":
        run.train()
        found = plain_results(run.evaluate())
        return {**found, **_facts(run)}
    if job["action"] == "check":
        return {"stages": run.one_step(whole_evaluation=False), **_facts(run)}
    return _anatomy(run)


def _anatomy(run: Any) -> "Dict[str, Any]":
    """The baseline's check: one step, one whole evaluation, and the module tree that both have shown."""
    from .anatomy import Anatomist
    from .experiment import plain_results

    anatomist = Anatomist(run.model)
    with anatomist.watching():
        stages = run.one_step(whole_evaluation=True)
    found = plain_results(stages.pop("results"))
    facts = _facts(run)
    return {**found, **facts, "stages": stages, "anatomy": anatomist.describe(), "environment": _environment()}


def _facts(run: Any) -> "Dict[str, Any]":
    from .tensors import weights_digest

    return {
        "fingerprint": weights_digest(run.model),
        "proofs": [one.proof() for one in run.surgery],
        "seconds": {stage: round(seconds, 6) for stage, seconds in run.seconds.items()},
        "parameters": sum(parameter.numel() for parameter in run.model.parameters()),
        "forwards": run.forwards,
        "finished_at": time.time(),
    }


def _environment() -> "Dict[str, Any]":
    import torch

    loaded = {
        name: getattr(sys.modules[name], "__version__", None)
        for name in ("numpy", "sklearn", "transformers")
        if name in sys.modules
    }
    return {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        **{name: str(version) for name, version in loaded.items()},
        "cuda": str(torch.version.cuda),
        "gpus": [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())],
    }


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
