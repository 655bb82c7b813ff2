"""Attacks, in the standard library: run as an experiment inside the sandbox, and as a script outside, where they work.

As a script it forks and attacks from the child, so that there is a parent to attack in either place.
"""

import ctypes
import json
import os
import re
import socket
import stat
import subprocess
import sys
from pathlib import Path

PTRACE_ATTACH, PTRACE_DETACH = 16, 17
PR_SET_PTRACER, ANYONE = 0x59616D61, ctypes.c_ulong(-1)


def read_ssh_key(world):
    assert world["secret"] in Path(world["home"], ".ssh", "id_rsa").read_text()


def list_home(world):
    assert Path(world["home"], ".ssh") in Path(world["home"]).iterdir()


def secret_in_own_environment(world):
    assert world["secret"] in os.environ.values()


def secret_in_others_environment(world):
    def holds(process):
        try:
            return world["secret"].encode() in (process / "environ").read_bytes()
        except OSError:
            return False

    assert any(holds(process) for process in Path("/proc").glob("[0-9]*") if process.name != str(os.getpid()))


def read_state(world):
    assert world["secret"] in Path(world["state"], "ledger.db").read_text()


def read_neighbour(world):
    assert Path(world["neighbour"], "notes").read_text() == "untouched"


def connect_over_tcp(world):
    socket.create_connection(("127.0.0.1", world["port"]), timeout=5).close()


def connect_to_abstract_socket(world):
    with socket.socket(socket.AF_UNIX) as one:
        one.connect("\0" + world["abstract"])


def connect_to_path_socket(world):
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(world["socket"])


def write_into_neighbour(world):
    Path(world["neighbour"], "written").write_text("x")


def write_into_project(world):
    Path(world["project"], "written").write_text("x")


def change_a_project_file(world):
    with Path(world["project"], "data").open("a") as file:
        file.write("x")


def remove_a_project_file(world):
    Path(world["project"], "removable").unlink()


def hard_link_into_project(world):
    os.link(Path(world["project"], "data"), Path(world["project"], "hard-link"))


def hard_link_out_of_project(world):
    """A second name in a place that may be written gives write access to the first."""
    place = Path(world["writable"], "hard-link")
    os.link(Path(world["project"], "data"), place)
    with place.open("a") as file:
        file.write("x")


def symlink_into_project(world):
    Path(world["project"], "symbolic-link").symlink_to("/etc/passwd")


def write_through_a_symlink(world):
    link = Path(world["writable"], "link")
    link.symlink_to(world["neighbour"])
    (link / "through").write_text("x")


def open_parents_descriptors(world):
    """Their numbers may be seen, where the user outside is root; what counts is whether one can be written to."""
    opened, problem = 0, None
    for descriptor in Path(f"/proc/{os.getppid()}/fd").iterdir():
        try:
            os.close(os.open(descriptor, os.O_WRONLY | os.O_NONBLOCK))
            opened += 1
        except OSError as error:
            problem = error
    if not opened and problem:
        raise problem


def read_parents_memory(world):
    start = int(Path(f"/proc/{os.getppid()}/maps").read_text().split("-")[0], 16)
    with Path(f"/proc/{os.getppid()}/mem").open("rb") as memory:
        memory.seek(start)
        assert memory.read(4) == b"\x7fELF"


def open_parents_memory_for_writing(world):
    Path(f"/proc/{os.getppid()}/mem").open("r+b", buffering=0).close()


def trace_parent(world):
    _trace(os.getppid())


def trace_a_child(world):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        try:
            _trace(child.pid)
        finally:
            child.kill()


def _trace(pid):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(PTRACE_ATTACH, pid, None, None):
        raise OSError(ctypes.get_errno(), "ptrace")
    os.waitpid(pid, 0x40000000)  # __WALL
    libc.ptrace(PTRACE_DETACH, pid, None, None)


def see_other_processes(world):
    assert Path("/proc", str(world["driver"])) in Path("/proc").iterdir()
    assert Path(f"/proc/{world['driver']}/cmdline").read_bytes().hex() == world["command"]


def signal_other_processes(world):
    assert Path(f"/proc/{world['driver']}/cmdline").read_bytes().hex() == world["command"]
    os.kill(world["driver"], 0)


ATTACKS = [
    *(read_ssh_key, list_home, secret_in_own_environment, secret_in_others_environment, read_state, read_neighbour),
    *(connect_over_tcp, connect_to_abstract_socket, connect_to_path_socket),
    *(write_into_neighbour, write_into_project, change_a_project_file, remove_a_project_file),
    *(hard_link_into_project, hard_link_out_of_project, symlink_into_project, write_through_a_symlink),
    *(open_parents_descriptors, read_parents_memory, open_parents_memory_for_writing, trace_parent, trace_a_child),
    *(see_other_processes, signal_other_processes),
]


def attempt(attack, world):
    """`succeeded`, or what stopped it."""
    try:
        attack(world)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "succeeded"


def attack_everything(world):
    """Each attack's name with what became of it."""
    return {attack.__name__: attempt(attack, world) for attack in ATTACKS}


def capabilities():
    """Effective capabilities, whether new ones can be had, and the seccomp mode."""
    status = Path("/proc/self/status").read_text()
    return {
        key: int(re.search(rf"^{key}:\s*(\w+)", status, re.M)[1], 16) for key in ("CapEff", "NoNewPrivs", "Seccomp")
    }


def settings_that_open_for_writing():
    """Kernel settings that can be written. Those that anyone may open (`ns_last_pid`) ask for a capability when written."""
    return [str(path) for path in Path("/proc/sys").rglob("*") if path.is_file() and _opens(path)]


def _opens(path):
    try:
        path.open("r+b", buffering=0).close()
    except (OSError, ValueError):
        return False
    return not path.stat().st_mode & stat.S_IWOTH


def main():
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ANYONE, 0, 0, 0)
    child = os.fork()
    if child == 0:
        print(json.dumps(attack_everything(json.loads(sys.argv[1]))), flush=True)
        os._exit(0)
    os.waitpid(child, 0)


if __name__ == "__main__":
    main()
