"""Attacks must not reach the machine: as root, the whole test process lives in a mount namespace of its own."""

import ctypes
import os

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
"""Files of tests run side by side: threads that wait for a core by spinning make each of them many times slower."""

CLONE_NEWNS = 0x00020000
MS_REC, MS_PRIVATE = 0x4000, 1 << 18
PROBLEM = pytest.StashKey[str | None]()


def pytest_configure(config):
    config.stash[PROBLEM] = leave_the_mount_namespace() if os.geteuid() == 0 else None


def leave_the_mount_namespace() -> str | None:
    """Where mounts are private from now on; None, or what stood in the way."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) == 0 and libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) == 0:
        return None
    return os.strerror(ctypes.get_errno())


@pytest.fixture(scope="session")
def harmless(request):
    """Only where this holds may an attack run: not root, or root in a mount namespace of its own."""
    problem = request.config.stash[PROBLEM]
    assert problem is None, (
        f"no private mount namespace for root ({problem}): run the security tests as an ordinary user"
    )
