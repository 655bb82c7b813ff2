"""Trained weights of a command: from where it leaves them into the study's file, and back to where it looks for them."""

import os
import shutil
import stat
import tarfile
from typing import BinaryIO, Optional

LARGEST = 8 << 30
"""Bytes."""


def keep(path: Optional[str], file: BinaryIO, out: str) -> Optional[str]:
    """Copy the weights at `path`, a file or a folder, into `file`. What stands in the way, or None."""
    if path is None:
        return "experiment.checkpoint does not say where the command leaves its weights"
    try:
        kind = os.lstat(path).st_mode
    except OSError:
        there = sorted(os.path.relpath(os.path.join(at, one), out) for at, _, names in os.walk(out) for one in names)
        held = ", ".join(there[:20]) or "nothing"
        return f"the command left no weights at {path}; there is {held} in {out}"
    size = os.path.getsize(path) if stat.S_ISREG(kind) else _size(path)
    if size > LARGEST:
        return f"the weights at {path} are {size / 2**30:.1f} GiB, and no more than {LARGEST >> 30} GiB are kept"
    with file:
        if stat.S_ISREG(kind):
            with open(path, "rb") as source:
                shutil.copyfileobj(source, file, 1 << 20)
        elif stat.S_ISDIR(kind):
            with tarfile.open(fileobj=file, mode="w") as archive:
                archive.add(path, arcname=".")
        else:
            return f"what the command left at {path} is neither a file nor a folder"
    return None


def place(file: BinaryIO, path: Optional[str]) -> Optional[str]:
    """Put kept weights at `path` again. What stands in the way, or None."""
    if path is None:
        return "experiment.checkpoint does not say where the command looks for its weights"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    file.seek(0)
    if _is_archive(file):
        with tarfile.open(fileobj=file, mode="r:") as archive:
            archive.extractall(path, filter="data")
        return None
    with open(path, "wb") as target:
        shutil.copyfileobj(file, target, 1 << 20)
    return None


def _is_archive(file: BinaryIO) -> bool:
    """Whether it is a tar file of ours; torch's own old ones begin otherwise."""
    head = file.read(512)
    file.seek(0)
    return head[257:262] == b"ustar" and head[:2] in (b".\0", b"./")


def _size(folder: str) -> int:
    return sum(os.lstat(os.path.join(at, name)).st_size for at, _, names in os.walk(folder) for name in names)
