"""An experiment that leaves a daemon behind, tells by a process that it has come so far, and then does as it is told."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from torch import nn

RESULT = b'{"event": "result", "status": "ok", "metrics": {"evaluation": {"loss": 0.0}}}\n'
WAITS = "import signal; signal.pause()"
LEAVES_A_DAEMON = """
import os, subprocess, sys
os.setsid()
subprocess.Popen([sys.executable, "-c", sys.argv[1], os.environ["DAEMON"]], start_new_session=True)
"""


def build_model(config):
    return nn.Linear(2, 1)


def train(model, config, seed):
    if "daemon" in config:
        environment = {**os.environ, "DAEMON": config.daemon}  # only the daemon itself bears the word as an argument
        subprocess.run([sys.executable, "-c", LEAVES_A_DAEMON, WAITS], env=environment, check=True)
    globals()[config.get("then", "end")](config)


def evaluate(model, config):
    return {"loss": 0.5}


def end(config):
    print("ended")


def go_on_for_ever(config):
    while True:
        signal.pause()


def wait_for_a_file(config):
    """The project is read-only in here, and what happens to it outside can be seen."""
    while not Path(config["until"]).exists():
        time.sleep(0.01)


def forge(config):
    """Write a result to every descriptor of its own, and to every pipe of other trials that it can reach."""
    wait_for_a_file(config)
    own = {_target(one) for one in _descriptors("self")}
    for process in Path("/proc").glob("[0-9]*"):
        for descriptor in _descriptors(process.name):
            with contextlib.suppress(OSError):
                pipe = _target(descriptor)
                if pipe.startswith("pipe:") and pipe not in own and _is_a_trial_of(config, process):
                    _write(descriptor)
    answer(config)


def answer(config):
    """Write a result to every descriptor of its own: one of them is its result pipe."""
    for number in range(3, 64):
        with contextlib.suppress(OSError):
            os.write(number, RESULT)


def _is_a_trial_of(config, process):
    """The positive control must not write into pipes of the machine's other processes."""
    return str((process / "cwd").readlink()) == config["folder"]


def _descriptors(process):
    with contextlib.suppress(OSError):
        return list(Path("/proc", process, "fd").iterdir())
    return []


def _target(descriptor):
    """`pipe:[123]`; nothing for one that is closed by now, or is not to be looked at."""
    try:
        return str(descriptor.readlink())
    except OSError:
        return ""


def _write(descriptor):
    opened = os.open(descriptor, os.O_WRONLY | os.O_NONBLOCK)
    try:
        os.write(opened, RESULT)
    finally:
        os.close(opened)


def kill_the_supervisor(config):
    os.kill(os.getppid(), signal.SIGKILL)
    go_on_for_ever(config)


def terminate_the_supervisor(config):
    os.kill(os.getppid(), signal.SIGTERM)
    go_on_for_ever(config)


def stop_the_supervisor(config):
    os.kill(os.getppid(), signal.SIGSTOP)


def answer_and_kill_the_supervisor(config):
    answer(config)
    kill_the_supervisor(config)
