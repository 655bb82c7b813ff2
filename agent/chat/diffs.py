"""What ablations change in the source, as a person reads it: a diff of the file as it is now, where the edit still fits it."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...executor.errors import EditError
from ...executor.interventions import SourceEdit, described, source_edits
from .shown import Diff

if TYPE_CHECKING:
    from ..planning.plan import Ablation
    from ..results import Planned


def diff_of(ablation: "Ablation", root: Path, exclude: Sequence[str] = ()) -> Diff | None:
    """Its edits of the files below `root`, with line numbers and the lines around them; None where it edits no source.

    Where a file has changed so that the edit does not fit it any more, or may not be read (`exclude` are the globs of
    `[project] exclude`), the edit's own blocks.
    """
    from ..blockdiff import edit_diff

    blocks = edit_diff(ablation.interventions)
    if blocks is None:
        return None
    return Diff(title=ablation.id, text=_of_the_files(source_edits(ablation.interventions), root, exclude) or blocks)


def diffs_of(
    ablations: "Iterable[Ablation]",
    fates: "Iterable[Planned]" = (),
    root: Path | None = None,
    exclude: Sequence[str] = (),
) -> list[Diff]:
    """What ablations change, each as a diff, or in a line where it is no edit of the source."""
    from ..blockdiff import edit_diff

    found: dict[str, Diff] = {}
    for one in ablations:
        diff = diff_of(one, root, exclude) if root else None
        text = edit_diff(one.interventions) or described(one.interventions)
        found[one.id] = diff or Diff(title=one.id, text=text)
    for one in fates:
        if one.diff and one.ablation not in found:
            found[one.ablation] = Diff(title=one.ablation, text=one.diff)
    return list(found.values())


def edits(ablations: "Iterable[Ablation]") -> "list[Ablation]":
    """Those that edit the source: what others change stands in a line."""
    return [one for one in ablations if any(isinstance(each, SourceEdit) for each in one.interventions)]


def _of_the_files(changes: Sequence[SourceEdit], root: Path, exclude: Sequence[str]) -> str:
    from ...executor.overlay import edited, unified
    from ..reading.digest.readable import Readable

    readable = Readable(root, exclude)
    if any(readable.refusal(block.file) for change in changes for block in change.blocks):
        return ""
    try:
        return unified(root, edited(root, changes)).rstrip("\n")
    except (EditError, OSError, UnicodeDecodeError):
        return ""
