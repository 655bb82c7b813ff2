"""The project as a language model's planner reads it: the digest, and what it asks to see beside it."""

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from ....executor.errors import ModelError
from ...spec import StudySpec
from .digest import DigestTooLarge, Estimate, digest
from .hidden import hidden_values
from .imports import distances
from .lookup import MOST_CHARACTERS, Lookup, look_up, refusal
from .readable import Readable
from .secrets import MARKER, known_secrets

CHARACTERS_A_TOKEN = 2
"""Rather too few, so that what is looked up fits."""


class Library:
    """One study's project.

    Args:
        spec: The study.
        estimate: Tokens of a text.
        environment: Of the process: the values of what looks like a key are never shown.
    """

    def __init__(
        self,
        spec: StudySpec,
        estimate: Estimate,
        environment: Mapping[str, str] = os.environ,
        *,
        state: Path | None = None,
    ) -> None:
        self._spec, self._estimate = spec, estimate
        known = (*known_secrets(environment), *known_secrets(spec.experiment.env))
        self._readable = Readable(spec.root, spec.project.exclude, known, state)

    def digest(self, budget: int) -> str:
        """The project within so many tokens. `ModelError` where not even the smallest form fits, or nothing may be shown."""
        entry, config = (self._relative(one) for one in (self._spec.entry_file, self._spec.config_file))
        if entry is None:
            raise ModelError(
                "the command starts no file of the project that could be shown to a language model",
                where="[experiment] command",
                to_do="name the script in it, or plan with --planner rules",
            )
        refusal = self._readable.refusal(entry)
        if refusal is not None:
            raise ModelError(
                f"the experiment is not shown to a language model: {refusal}",
                where=entry,
                to_do="move it or change what keeps it back, or plan with --planner rules",
            )
        try:
            return digest(self._readable, entry, config, budget, self._estimate).text
        except DigestTooLarge as error:
            raise ModelError(
                f"the context is too small for this project: {error}",
                where="[planner] context_tokens",
                to_do="raise it as far as the model allows, lower answer_tokens, or plan with --planner rules",
            ) from None

    @property
    def shows_config(self) -> bool:
        """Whether the configuration's file may be read, and so its values be shown."""
        path = self._relative(self._spec.config_file)
        return path is None or self._readable.refusal(path) is None

    def hides(self, file: str) -> bool:
        """Whether a file, relative to the root, is never shown."""
        return self._readable.refusal(file) is not None

    def look_up(self, lookup: Lookup, tokens: int) -> str:
        """What was asked for, fenced and labelled, in so many tokens at most; or why it cannot be had."""
        return look_up(self._readable, lookup, most=min(MOST_CHARACTERS, tokens * CHARACTERS_A_TOKEN))

    def refusal(self, lookup: Lookup) -> str | None:
        """Why what was asked for cannot be had; None: it can."""
        return refusal(self._readable, lookup)

    @property
    def left_out(self) -> dict[str, int]:
        """Reason → how many files and folders are never shown for it."""
        return {reason: len(paths) for reason, paths in sorted(self._readable.found.left_out.items())}

    def clean(self, text: str) -> str:
        """A text without what looks like a secret."""
        return self._readable.clean(text)

    def told(self, text: str) -> str:
        """What trials and their errors say: without what looks like a secret, and without any that the project holds."""
        cleaned = self.clean(text)
        for value in self._hidden:
            cleaned = cleaned.replace(value, MARKER)
        return cleaned

    @cached_property
    def _hidden(self) -> tuple[str, ...]:
        entry, config = self._spec.entry_file, self._relative(self._spec.config_file)
        reached = distances(self._spec.root, entry) if entry else {}
        return hidden_values(self._readable, [*reached, *([config] if config else [])])

    def _relative(self, path: Path | None) -> str | None:
        return path.relative_to(self._spec.root).as_posix() if path else None
