"""Which edits of the source are refused before anything runs, and why: `SourceGuard`."""

import codecs
import io
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from ...executor.errors import EditError
from ...executor.interventions import SourceEdit
from ...executor.overlay import edited
from ..reading.digest.readable import Readable, Text
from .difference import Difference, difference
from .held_out import held_out
from .measures import called, of_itself, words_of
from .pieces import pieces
from .reach import Reach, modules_of, reach
from .repeats import repeats
from .scale import rescaled
from .script import script_reach
from .vocabulary import brought_in, odd_characters

EVALUATION = ("evaluate", "score", "batches")
"""The experiment's functions that no edit may touch, nor what they reach."""
MODEL = ("build_model",)
"""The experiment's function that makes the model: what it reaches is part of every evaluation."""
MOST_CHANGED = 20
"""Lines that a proposed edit may remove and add, together."""
MOST_ADDED = 10
"""Lines of these that it may add."""
SHOWN = 8
"""Reasons of one kind that are listed."""


@dataclass(frozen=True)
class Scope:
    """How far an edit goes."""

    definitions: tuple[str, ...]
    """The top-level functions, classes and other statements that it changes, e.g. `train (train.py)`."""
    removed: int
    added: int
    """Lines."""


class SourceGuard:
    """Judges edits of one project.

    Args:
        root: The project's root.
        experiment: The file with the experiment's functions.
        exclude: Globs of `[project] exclude`.
        functions: What must stay as it is, with all that it reaches statically.
        script: The file is a program that nobody wrote for this: what measures is found by its names.
    """

    def __init__(
        self,
        root: Path,
        experiment: Path,
        exclude: Sequence[str] = (),
        functions: Sequence[str] = EVALUATION,
        *,
        script: bool = False,
    ) -> None:
        self.root, self.experiment, self.functions = root.resolve(), experiment, functions
        self.script = script
        self._readable = Readable(root, exclude)
        self._modules = modules_of(root, experiment)

    def problem(self, edit: SourceEdit, *, proposed: bool) -> str | None:
        """Everything that is wrong with an edit, in one text; None: it may be tried.

        Args:
            edit: What is to be judged.
            proposed: A language model's: also small, about one thing, and taking away rather than bringing in.
        """
        problems = self._of_files(edit) or (self._of_hidden(edit) if proposed else [])
        if not problems:
            try:
                problems = self._of_texts(edited(self.root, [edit]), proposed=proposed)
            except EditError as error:
                return str(error)
            except (RecursionError, MemoryError):
                problems = ["is nested too deeply to be judged: keep to what stands there"]
        return "; ".join(dict.fromkeys(problems)) or None

    def scope(self, edit: SourceEdit) -> Scope:
        """What an edit touches, for reports.

        Raises:
            EditError: it does not apply.
        """
        changes = [self._change(file, text) for file, text in edited(self.root, [edit]).items()]
        return Scope(
            tuple(name for change in changes for name in change.definitions),
            sum(change.removed for change in changes),
            sum(change.added for change in changes),
        )

    @property
    def evaluation_words(self) -> frozenset[str]:
        """Texts and attributes of the evaluation's source: a setting whose name is among them is read there."""
        return words_of(self._reach)

    @cached_property
    def _reach(self) -> Reach:
        return self._measuring(None)

    def _measuring(self, texts: dict[str, str] | None) -> Reach:
        """What measures, in the project as it is or with new texts."""
        if self.script:
            return script_reach(self.root, self.experiment, texts=texts, known=self._modules)
        return reach(self.root, self.experiment, self.functions, texts=texts, known=self._modules)

    @cached_property
    def _built(self) -> Reach:
        if self.script:
            return Reach(())
        return reach(self.root, self.experiment, MODEL, known=self._modules)

    def _of_files(self, edit: SourceEdit) -> list[str]:
        problems: list[str] = []
        for file in dict.fromkeys(block.file for block in edit.blocks):
            refusal = self._readable.refusal(file)
            if refusal is not None:
                problems.append(f"{file!r} may not be edited ({refusal}): name one of the project's own files")
            elif PurePosixPath(file).suffix != ".py":
                problems.append(f"{file} is no Python file: settings are changed by a `config` intervention")
            elif PurePosixPath(file).as_posix() != file:
                problems.append(f"{file!r} is to be written {PurePosixPath(file).as_posix()!r}")
        return problems

    def _of_hidden(self, edit: SourceEdit) -> list[str]:
        """Search texts that a file with secrets does not hold as it is shown: no answer may tell what else is there."""
        problems: list[str] = []
        for block in edit.blocks:
            shown = self._readable.read(block.file)
            if isinstance(shown, Text) and shown.secrets and block.search.replace("\r\n", "\n") not in shown.text:
                problems.append(f"{block.file}: the search text is not there, in the file as it is shown")
        return problems

    def _of_texts(self, texts: dict[str, str], *, proposed: bool) -> list[str]:
        problems: list[str] = []
        changes: list[Difference] = []
        for file, text in texts.items():
            if wrong := _encoding(file, text):
                problems.append(wrong)
                continue
            try:
                changes.append(self._change(file, text))
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                problems.append(f"{file} does not parse after the edit ({_said(error)}): give whole statements")
        if problems:
            return problems
        if not any(change.gone or change.new for change in changes):
            return ["changes comments, docstrings or layout only: change what the code does"]
        problems += self._of_evaluation(changes, texts)
        return problems + (self._of_proposal(changes, texts) if proposed else [])

    def _of_evaluation(self, changes: Sequence[Difference], texts: dict[str, str]) -> list[str]:
        touched = self._reach.changed(self._measuring(texts))
        if not touched:
            return []
        own = {name for change in changes for name in change.definitions}
        touched = [name for name in touched if name in own] or touched
        measuring = "what is named as an evaluation" if self.script else " or ".join(self.functions)
        return [
            f"touches {_listed([f'`{name}`' for name in touched])}, which {measuring} reach{'es' if self.script else ''}, or which "
            "runs when they are imported: what measures stays as it is, edit the model or its training"
        ]

    def _of_proposal(self, changes: Sequence[Difference], texts: dict[str, str]) -> list[str]:
        names = [name for change in changes for name in change.definitions]
        removed, added = sum(one.removed for one in changes), sum(one.added for one in changes)
        problems: list[str] = []
        if len(names) > 1:
            problems.append(f"touches {len(names)} definitions ({_listed(names)}): change the one thing it names")
        if removed + added > MOST_CHANGED or added > MOST_ADDED:
            problems.append(
                f"removes {removed} and adds {added} lines, more than {MOST_CHANGED} in all or {MOST_ADDED} added: "
                "repeat no line that stays"
            )
        measured = [one for change in changes for one in of_itself(change, called(self._reach), self._built)]
        if measured:
            problems.append(f"{_listed(measured)}: what measures stays as it is, also where the model does it itself")
        parts = [(change, pieces(change)) for change in changes]
        if amounts := [one for change, given in parts for one in rescaled(change, given)]:
            problems.append(
                f"{_listed(amounts)}, which says how much of everything there is: less of it is no ablation"
            )
        if data := [one for change, given in parts for one in held_out(change, given, self._reach)]:
            problems.append(f"{_listed(data)}: what is trained on stays as it is")
        brought = [one for change, given in parts for one in (*brought_in(change), *repeats(change, given))]
        for file, text in texts.items():
            brought += odd_characters(self._text(file), text)
        if brought:
            problems.append(f"{_listed(list(dict.fromkeys(brought)))}: an ablation takes away")
        return problems

    def _change(self, file: str, text: str) -> Difference:
        return difference(file, self._text(file), text)

    def _text(self, file: str) -> str:
        return (self.root / file).read_bytes().decode("utf-8")


def _encoding(file: str, text: str) -> str | None:
    """Why a file whose first lines declare another encoding is not edited: Python would read other text than we do."""
    try:
        declared = codecs.lookup(tokenize.detect_encoding(io.BytesIO(text.encode()).readline)[0]).name
    except (SyntaxError, LookupError):
        declared = "unknown"
    return (
        None
        if declared in ("utf-8", "utf-8-sig", "ascii")
        else f"{file} declares the encoding {declared}: only UTF-8 is edited"
    )


def _said(error: BaseException) -> str:
    return f"{error.msg}, line {error.lineno}" if isinstance(error, SyntaxError) else str(error) or type(error).__name__


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
