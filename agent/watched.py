"""Whether the files that a version was made of have been touched since: by their stats, so that asking costs next to nothing."""

from collections.abc import Iterable
from pathlib import Path
from stat import S_ISDIR

from .keys import folders_of, input_files, source_files
from .spec import StudySpec

Stamp = tuple[int, int, int, bool]
"""Time of the last change in ns, bytes, inode, and whether it is a folder."""


class Watched:
    """The sources, settings and inputs of a study as they were when this was made: before anything is read of them."""

    def __init__(self, spec: StudySpec) -> None:
        self._spec = spec
        self._others: set[Path] = {spec.config_file} if spec.config_file else set()
        self._seen = self._found = self._stamps(self._walked())

    def also(self, files: Iterable[Path]) -> None:
        """Other files that settings were read from."""
        self._others |= set(files)
        self._seen = {**self._stamps(self._others), **self._seen}

    def touched(self) -> list[Path]:
        """Files that are new, gone, or another than before, sorted. Folders are read again where one of them has changed."""
        now = self._stamps(self._seen)
        if now == self._seen:
            return []
        now = self._stamps(self._walked())
        both = now.keys() | self._seen.keys()
        changed = sorted(one for one in both if now.get(one) != self._seen.get(one))
        self._found = now
        return [one for one in changed if not (now.get(one) or self._seen[one])[3]]

    def take(self) -> None:
        """What `touched` has found is no edit: take it as it is."""
        self._seen = self._found

    def _walked(self) -> set[Path]:
        spec = self._spec
        return {*source_files(spec), *folders_of(spec), *input_files(spec), *self._others}

    @staticmethod
    def _stamps(paths: Iterable[Path]) -> dict[Path, Stamp]:
        return {one: stamp for one in paths if (stamp := _stamp(one))}


def _stamp(path: Path) -> Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    folder = S_ISDIR(status.st_mode)
    return status.st_mtime_ns, 0 if folder else status.st_size, status.st_ino, folder
