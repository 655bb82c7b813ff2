"""Source edits as patches of the packed project: `git apply` and `patch -p1` take them inside `project/`."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from ...executor.errors import EditError
from ...executor.interventions import source_edits
from ...executor.overlay import edited, unified
from ..planning.plan import Ablation

UNFIT = re.compile(r"[^\w.+-]+")
LONGEST = 100


def patches(
    ablations: Sequence[Ablation], root: Path, base: Path, packed: Collection[str]
) -> tuple[dict[str, tuple[str, str]], list[str]]:
    """Ablation → (file, unified diff) of those that edit the source, and the ablations whose patch would show what is left out.

    Args:
        ablations: of every plan.
        root: the project's root.
        base: the folder that `project/` mirrors.
        packed: files that are in the bundle, below `base`.
    """
    found: dict[str, tuple[str, str]] = {}
    hidden: list[str] = []
    below = root.relative_to(base)
    for one in ablations:
        edits = source_edits(one.interventions)
        if not edits:
            continue
        names = {(below / block.file).as_posix() for edit in edits for block in edit.blocks}
        if not names <= set(packed):
            hidden.append(one.id)
            continue
        try:
            texts = edited(root, edits)
        except EditError:
            continue  # it was refused by its check, which the ledger extract and the results say
        diff = unified(base, {(below / name).as_posix(): text for name, text in texts.items()})
        found[one.id] = (_file(one.id, {file for file, _ in found.values()}), diff)
    return found, hidden


def _file(name: str, taken: Collection[str]) -> str:
    stem = UNFIT.sub("-", name)[:LONGEST].strip(".-") or "edit"
    numbered = [stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 2))]
    return next(file for one in numbered if (file := f"edits/{one}.patch") not in taken)
