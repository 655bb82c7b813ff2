"""The checker: a text, Markdown or LaTeX, held sentence by sentence against the results of a study.

`check` finds every number, ratio, comparison, superlative, count, verdict and causal word; `offending` names the sentences that must not
stay. References in the text are filled first, and what they give is backed, where the sentence is about the same removal."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from ..facts import Facts
from ..references import NoSuchReference, read
from .amounts import amounts
from .causes import causes
from .clauses import Carried, Clause, clauses
from .counted import Counted
from .counts import counts
from .finding import Finding, Kind, Outcome, offending
from .ground import Found, Ground, Scope
from .held import Held
from .latex import read_latex
from .lexicon import said
from .markdown import read_markdown
from .modes import said_modes
from .names import Names
from .owners import owners
from .quantities import Quantity
from .relations import relations
from .sentences import Span, sentences
from .setup import setup
from .source import CODE, CODE_ENDS, Plain
from .statements import statements
from .superlatives import implied

_ID = re.compile(rf"{CODE}(?P<id>(?:config|module|head|neurons|weight|edit):[^{CODE_ENDS}]+){CODE_ENDS}")
_LEAD = re.compile(r"[^.:;]{0,80}:\s")
"""`Recovery: …` stands like a heading."""
_KINDS_OF_VALUE = frozenset(
    (
        "baseline",
        "ablated",
        "mean",
        "p",
        "p_equivalence",
        "ok",
        "failed",
        "skipped",
        "planned",
        "pending",
        "checks",
        "trials",
    )
)
"""Values that are easily taken for each other: the words around them must fit."""
_UNSEEN = re.compile(f"[{CODE}{CODE_ENDS}]")


def check(text: str, facts: Facts, kind: Literal["md", "tex"] = "md") -> tuple[Finding, ...]:
    """Every claim of a text about the results, in order, with what came of it.

    Offsets are those of `text`, references unfilled. A reference that cannot be filled is a finding of kind `reference`.
    """
    plain = (read_latex if kind == "tex" else read_markdown)(text, facts)
    checker = _Checker(text, plain, facts)
    found = [*checker.references(), *(one for span in sentences(plain) for one in checker.sentence(span))]
    return tuple(sorted(found, key=lambda one: (one.start, one.line)))


class _Checker:
    """Goes through one text, and carries on what it was about."""

    def __init__(self, text: str, plain: Plain, facts: Facts) -> None:
        self._plain, self._ground, self._names = plain, Ground(facts), Names(facts)
        self._source, self._facts = text, facts
        self._lines = [at for at, c in enumerate(text) if c == "\n"]
        self._carried, self._block = Carried(), -1
        self._columns: tuple[str, ...] = ()

    def references(self) -> Iterator[Finding]:
        """Those that cannot be filled."""
        for at, problem in self._plain.problems:
            end = self._source.find("}}", at) + 2
            piece = self._source[at:end]
            yield Finding(self._line(at), piece, piece, "reference", "unbacked", problem, at, max(end, at))

    def sentence(self, span: Span) -> Iterator[Finding]:
        """All findings of one sentence."""
        text = self._plain.text[span.start : span.end]
        self._turn(span, text)
        if lead := _LEAD.match(text):
            self._carried.heading = said_modes(lead[0]) or self._carried.heading
        parts = list(clauses(text, self._names, self._carried))
        if span.row:
            parts = [self._as_row(part) for part in parts]
        parts = self._in_one_mode(span, parts)
        for part in parts:
            yield from self._clause(span, text, part)
        for one in setup(self._ground, text, parts):
            yield self._finding(span, text, one.start, one.end, one.kind, one.outcome, one.why)
        for one in causes(text, parts):
            yield self._finding(span, text, one.start, one.end, one.kind, one.outcome, one.why)
        for unknown in _ID.finditer(text):
            if unknown["id"].strip() not in self._facts.ids:
                yield self._finding(
                    span, text, *unknown.span("id"), "name", "unbacked", "the study knows nothing of this name"
                )

    def _turn(self, span: Span, text: str) -> None:
        """A new paragraph begins with nothing but what its heading says."""
        if span.block == self._block:
            return
        self._block = span.block
        heading = (
            len(text) < 80
            and not text.rstrip().endswith((".", "!", "?", ":"))
            and not span.row
            and not re.search(r"\d", text)
        )
        modes = said_modes(text) if heading else self._carried.heading
        scope = Scope(modes, self._carried.scope.metrics if span.row else ())
        self._carried = Carried((), scope, heading=modes)

    def _as_row(self, part: Clause) -> Clause:
        """A row of a table is about what its first cell names, on the metrics of its header."""
        if not part.quantities and part.scope.metrics:
            self._columns = part.scope.metrics
        metrics = self._columns or part.scope.metrics
        return replace(part, scope=Scope(part.scope.modes, metrics, part.scope.kinds))

    def _clause(self, span: Span, text: str, part: Clause) -> Iterator[Finding]:
        ground = self._ground
        if (subject := implied(ground, part)) is not None:
            part = replace(part, carried=(subject,))
        held = [self._from_reference(span, part, one) for one in amounts(ground, part, row=span.row)]
        for one in held:
            q = one.quantity
            kind: Kind = "spelled-out number" if q.spelled else "number"
            yield self._finding(span, text, q.start, q.end, kind, one.outcome, one.why, one.reference, q)
        related = list(relations(ground, part))
        for one in related:
            yield self._finding(span, text, one.start, one.end, one.kind, one.outcome, one.why)
        counted = list(counts(ground, part))
        for one in counted:
            yield self._finding(span, text, one.start, one.end, one.kind, one.outcome, one.why)
        taken = [(one.start, one.end) for one in related]
        if counted and not part.groups:
            taken = [*taken, *(self._first_phrases(part, counted) if part.carried else [(part.start, part.end)])]
        for one in statements(ground, part, taken, held, text):
            reference = self._instead(one.found, one.outcome)
            yield self._finding(span, text, one.start, one.end, "verdict", one.outcome, one.why, reference)

    def _first_phrases(self, part: Clause, counted: list[Counted]) -> list[tuple[int, int]]:
        """The phrases that counts have held already: the next after each, and whether it is beyond δ."""
        phrases = [(part.start + p.start, part.start + p.end, p.removed) for p in said(part.words)]
        used = {
            next(((a, b) for a, b, _ in phrases if b > one.end), None) or next(((a, b) for a, b, _ in phrases), None)
            for one in counted
        }
        used |= {(a, b) for a, b, claim in phrases if claim in ("beyond δ", "within δ")}
        return [one for one in used if one is not None]

    def _in_one_mode(self, span: Span, parts: list[Clause]) -> list[Clause]:
        """Where a sentence names no mode, its numbers may tell it."""
        if any(part.scope.modes for part in parts) or len(self._ground.modes) < 2:
            return parts
        held = [one for part in parts for one in amounts(self._ground, part, row=span.row)]
        modes = {
            one.found.mode
            for one in held
            if one.outcome == "backed" and one.found is not None and one.role in ("change", "level", "end", None)
        }
        if len(modes) != 1:
            return parts
        return [replace(part, scope=replace(part.scope, modes=tuple(modes))) for part in parts]

    def _instead(self, found: Found | None, outcome: Outcome) -> str | None:
        return self._ground.reference(found, "verdict") if found is not None and outcome != "backed" else None

    def _from_reference(self, span: Span, part: Clause, held: Held) -> Held:
        """A value of a reference is no number of the writer's own, as long as the sentence says of it what it is.

        What the words do not tell of it is backed; what they tell wrongly (another removal, mode, or kind of value) is contradicted.
        """
        expression = self._expression(span, held.quantity)
        if expression is None:
            return held
        try:
            reference = read(expression)
        except NoSuchReference:
            return held
        found = [
            e
            for e in (*self._ground.results.effects, *self._ground.results.interactions)
            if reference.function in ("effect", "interaction")
            and (e.ablation in reference.arguments or sorted(e.components) == sorted(reference.arguments))
        ]
        modes = {reference.keywords["mode"]} if "mode" in reference.keywords else {e.mode for e in found}
        if found and part.scope.modes and not modes & set(part.scope.modes):
            why = f"this is a value of {' and '.join(sorted(modes))}, and the sentence is about {' and '.join(part.scope.modes)}"
            return replace(held, outcome="contradicted", why=why)
        theirs = {c for e in found for c in e.components}
        whose = {c for s in owners(part).get(held.quantity.start, ()) for c in s.components}
        if found and whose and not whose & theirs:
            why = f"this is a value of {' + '.join(sorted(theirs))}, and the sentence is about {' + '.join(sorted(whose))}"
            return replace(held, outcome="contradicted", why=why)
        wrong_kind = held.outcome == "contradicted" and reference.attribute in _KINDS_OF_VALUE
        return held if wrong_kind else replace(held, outcome="backed", why="")

    def _expression(self, span: Span, q: Quantity) -> str | None:
        start = span.start + q.start
        return next((e for a, b, e in self._plain.filled if a <= start < b), None)

    def _finding(
        self,
        span: Span,
        text: str,
        start: int,
        end: int,
        kind: Kind,
        outcome: Outcome,
        why: str,
        reference: str | None = None,
        q: Quantity | None = None,
    ) -> Finding:
        at = self._plain.at
        first, last = at[span.start], at[span.end - 1] + 1
        filled = q is not None and self._expression(span, q) is not None
        return Finding(
            self._line(at[span.start + start]),
            _readable(text),
            _readable(text[start:end]),
            kind,
            outcome,
            "" if outcome == "backed" else why,
            first,
            self._whole(last),
            reference,
            filled,
        )

    def _whole(self, last: int) -> int:
        """The end of a sentence in the source: a reference that ends it stands there as one."""
        if self._source.startswith("{{", last - 1):
            return self._source.find("}}", last) + 2
        return last

    def _line(self, offset: int) -> int:
        from bisect import bisect_left

        return bisect_left(self._lines, offset) + 1


def _readable(text: str) -> str:
    return " ".join(_UNSEEN.sub("", text).split())


__all__ = ["Finding", "check", "offending"]
