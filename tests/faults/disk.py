"""A disk that is nearly full: a file that takes room and holds nothing, written in no time."""

import os
from contextlib import AbstractContextManager
from pathlib import Path


class Ballast(AbstractContextManager["Ballast"]):
    """A file of so many bytes, `dropped` at will and in any case at the end."""

    def __init__(self, path: Path, size: int) -> None:
        self.path, self.size = path, size

    def __exit__(self, *_: object) -> None:
        self.drop()

    @property
    def there(self) -> bool:
        """Whether it takes room now."""
        return self.path.exists()

    def take(self) -> None:
        """Take the room. `OSError` where there is not as much."""
        with self.path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, self.size)

    def drop(self) -> None:
        """Give it back."""
        self.path.unlink(missing_ok=True)
