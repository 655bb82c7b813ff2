"""The sandbox's first process: forks the worker, waits for it, and reports its raw wait status on a pipe of its own.

The worker runs code that nobody here wrote. It cannot forge this report: the supervisor is not dumpable, so its
memory and file descriptors are closed to other processes of the same user (`ptrace(2)`, `PR_SET_DUMPABLE`).
"""

import ctypes
import importlib.util
import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4


def main() -> None:
    """`python inside JOB_FD RESULT_FD STATUS_FD`: one worker, one job, one status."""
    job, result, status = (int(number) for number in sys.argv[1:4])
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.prctl(PR_SET_DUMPABLE, 0)
    worker = os.fork()
    if worker == 0:
        os.close(status)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(PR_SET_DUMPABLE, 1)
        _serve(job, result)
    signal.signal(signal.SIGTERM, lambda number, frame: _end(worker, number, frame))
    os.close(job)
    os.close(result)
    _, wait_status, usage = os.wait4(worker, 0)
    report = {
        "wait_status": wait_status,
        "peak_memory": usage.ru_maxrss * 1024,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
    }
    os.write(status, json.dumps(report).encode() + b"\n")


def _end(worker: int, _number: int, _frame: "FrameType | None") -> None:
    os.kill(worker, signal.SIGKILL)


def _serve(job: int, result: int) -> None:
    here = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != here]
    sys.argv[:] = ["lesion"]
    spec = importlib.util.spec_from_file_location(
        "lesion_inside", here / "__init__.py", submodule_search_locations=[str(here)]
    )
    assert spec is not None and spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["lesion_inside"] = package
    spec.loader.exec_module(package)
    worker = importlib.import_module("lesion_inside.worker")
    worker.serve(job, result)
    os._exit(0)


if __name__ == "__main__":
    main()
