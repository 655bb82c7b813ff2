"""Source edits as a reader knows them: a unified diff of each search/replace block, from the blocks alone."""

import difflib
from collections.abc import Iterator, Sequence

from ..executor.interventions import Block, Intervention, source_edits


def edit_diff(interventions: Sequence[Intervention]) -> str | None:
    """Lines taken out and put in, file by file; None where no source is edited.

    The file itself may have changed since, so hunks carry no line numbers.
    """
    blocks = [block for edit in source_edits(interventions) for block in edit.blocks]
    files = dict.fromkeys(block.file for block in blocks)
    lines = [line for file in files for line in _of_file(file, [one for one in blocks if one.file == file])]
    return "\n".join(lines) or None


def _of_file(file: str, blocks: Sequence[Block]) -> Iterator[str]:
    name = "".join(one if one.isprintable() else "?" for one in file)  # a line break would begin a line of the diff
    yield from (f"--- {name}", f"+++ {name}")
    for block in blocks:
        changed = difflib.unified_diff(_lines(block.search), _lines(block.replace), lineterm="")
        yield from ("@@" if line.startswith("@@") else line for line in list(changed)[2:])


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []
