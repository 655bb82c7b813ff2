"""The system calls that no training run needs and escapes are made of, denied by a seccomp filter.

The program is made by libseccomp (through `pyseccomp`), which knows every architecture; bubblewrap loads it.
"""

import errno
import socket
import tempfile
from functools import cache

DENIED = """
ptrace process_vm_readv process_vm_writev process_madvise kcmp
keyctl add_key request_key
io_uring_setup io_uring_enter io_uring_register bpf perf_event_open userfaultfd
mount umount2 pivot_root chroot move_mount open_tree open_tree_attr fsopen fsconfig fsmount fspick mount_setattr
unshare setns name_to_handle_at open_by_handle_at pidfd_getfd personality
shmget shmat shmctl shmdt msgget msgsnd msgrcv msgctl semget semop semtimedop semctl
kexec_load kexec_file_load init_module finit_module delete_module reboot swapon swapoff acct quotactl
syslog settimeofday clock_settime clock_adjtime adjtimex vhangup lookup_dcookie
""".split()
NAMESPACE_FLAGS = 0x7E020080  # CLONE_NEW{TIME,NS,CGROUP,UTS,IPC,USER,PID,NET}
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK)


@cache
def deny_list() -> bytes:
    """The filter as a BPF program; empty where libseccomp is not installed, which the sandbox's name then says."""
    try:
        import pyseccomp
    except (ImportError, RuntimeError, OSError):
        return b""
    denied = pyseccomp.ERRNO(errno.EPERM)
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    for name in DENIED:
        _add(rules, denied, name)
    _add(rules, pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    for bit in range(32):
        if NAMESPACE_FLAGS >> bit & 1:
            _add(rules, denied, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, 1 << bit, 1 << bit))
    for request in (TIOCSTI, TIOCLINUX):
        _add(rules, denied, "ioctl", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, 0xFFFFFFFF, request))
    for name in ("prlimit64", "sched_setaffinity"):
        _add(rules, denied, name, pyseccomp.Arg(0, pyseccomp.NE, 0))
    for family in range(46):
        if family not in FAMILIES:
            _add(rules, pyseccomp.ERRNO(errno.EAFNOSUPPORT), "socket", pyseccomp.Arg(0, pyseccomp.EQ, family))
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def _add(rules: object, action: int, name: str, *arguments: object) -> None:
    """Add one rule; a call that this libseccomp or this architecture does not know cannot be made here either way."""
    try:
        rules.add_rule(action, name, *arguments)  # pyright: ignore[reportAttributeAccessIssue]
    except (OSError, ValueError, RuntimeError):
        return
