"""The archive: the same content gives the same bytes, and the file is there whole or not at all."""

import hashlib
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from ...executor.errors import BundleError
from ..records.bundle import Packed
from ..wholefile import whole

NO_TIME = (1980, 1, 1, 0, 0, 0)
EXECUTABLE, PLAIN = 0o100755, 0o100644
BLOCK = 1 << 20
Content = bytes | Path


def packed(contents: Mapping[str, Content]) -> list[Packed]:
    """Size and hash of every file, by path."""
    return [_packed(path, contents[path]) for path in sorted(contents)]


def write_archive(contents: Mapping[str, Content], expected: list[Packed], output: Path) -> None:
    """Write a ZIP file at `output`.

    Raises:
        BundleError: a place that cannot be written, a full disk, or a file that changed meanwhile; `output` is as it was.
    """
    known = {one.path: one for one in expected}
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with whole(output) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(contents):
                _add(archive, path, contents[path], known.get(path))
    except OSError as error:
        reason = error.strerror or str(error)
        to_do = "choose another place with -o, or make room and try again"
        raise BundleError(f"the bundle cannot be written: {reason}", where=str(output), to_do=to_do) from error


def _packed(path: str, content: Content) -> Packed:
    if isinstance(content, bytes):
        return Packed(path=path, sha256=hashlib.sha256(content).hexdigest(), size=len(content))
    with content.open("rb") as file:
        return Packed(
            path=path, sha256=hashlib.file_digest(file, "sha256").hexdigest(), size=os.fstat(file.fileno()).st_size
        )


def _add(archive: zipfile.ZipFile, path: str, content: Content, known: Packed | None) -> None:
    about = zipfile.ZipInfo(path, NO_TIME)
    runs = path.endswith("rerun.py") if isinstance(content, bytes) else os.access(content, os.X_OK)
    about.external_attr = (EXECUTABLE if runs else PLAIN) << 16
    about.compress_type, about.create_system = zipfile.ZIP_DEFLATED, 3
    if isinstance(content, bytes):
        archive.writestr(about, content)
        return
    about.file_size = known.size if known else content.stat().st_size
    with content.open("rb") as source, archive.open(about, "w") as target:
        found = _copied(source, target)
    if known and found != known.sha256:
        to_do = "let nothing write there, and pack again"
        raise BundleError("the file changed while it was packed", where=str(content), to_do=to_do)


def _copied(source: IO[bytes], target: IO[bytes]) -> str:
    """The hash of what was copied."""
    seen = hashlib.sha256()
    while data := source.read(BLOCK):
        seen.update(data)
        target.write(data)
    return seen.hexdigest()
