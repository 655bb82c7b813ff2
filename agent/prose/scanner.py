"""Reads a model's Markdown from left to right: fills references, marks numbers, and leaves nothing that a renderer reads otherwise.

Each step looks at a bounded piece of text and waits where more of it could change the outcome, so that a text which comes in pieces
ends up as it would in one. What could hide a number from this reader, or a mark from a person, is defused: HTML, link
destinations, code that a renderer ends elsewhere; fences lose their indentation."""

import re
import string
from typing import TYPE_CHECKING, NamedTuple

from . import markers, own
from .markers import Markers
from .own import MARK
from .references import LONGEST, NoSuchReference, unfilled

if TYPE_CHECKING:
    from .facts import Facts

_PART = 1000
"""Characters that are read at once, so that a long text takes a time in proportion."""
_LONGEST_CODE = 200
_LONGEST_HEAD = 80
"""Characters of a line that are looked at to see what begins there."""
_HEADING = re.compile(r"#{1,6}[ \t]+")
_GROWING = re.compile(r"#{1,6}[ \t]*")
_MARKUP = re.compile(r"[*_~\\`]")
_SIGNS = "+-−±."
_NUMBERING = re.compile(r"(?:1?[0-9]|20)(?:\.[0-9]{1,2})*")
_LANGUAGE = re.compile(r"[A-Za-z][\w+#-]{0,20}|")
_FENCE_ENDS = re.compile(r"[ \t>]*(`{3,}|~{3,})[ \t]*\Z")
_PHRASE_ENDS = re.compile(r"[^\w\s*~\-–]|\n[ \t]*\n")
_PUNCTUATION = frozenset(string.punctuation)


class Step(NamedTuple):
    """So much of the text is done with, and this takes its place."""

    consumed: int
    output: str


class Scanner:
    """One text, piece after piece; `own`, `cited` and `problems` grow as it is read."""

    def __init__(self, facts: "Facts", *, code_is_exempt: bool = True) -> None:
        """With code that is not exempt, numbers in it are own numbers like any other, but for names."""
        self.own: list[str] = []
        self.cited: dict[str, None] = {}
        self.problems: list[str] = []
        self.fence = ""
        """What opened the code block that the text is in."""
        self._facts = facts
        self._code_is_exempt = code_is_exempt
        self._text = ""
        self._sent = 0
        """Characters at the start of `_text` that were handed on before it was clear what they are part of."""
        self._before = "\n"
        """The end of what was handed on."""
        self._markers = Markers()
        self._starts = True
        self._nested = False
        """Whether a marker has been read on this line."""
        self._may_define = False
        """Whether a line of this paragraph began with a bracket: such may define the target of a link, and show nothing."""
        self._heading = False
        self._filled = ""
        """The value of a reference, where nothing but markup and blanks has come after it."""
        self._apart = False
        """Whether blanks have."""

    def read(self, piece: str, *, final: bool = False) -> str:
        """What is certain by now; all of it at the end of the text."""
        parts = [piece[at : at + _PART] for at in range(0, len(piece), _PART)] or [""]
        return "".join(self._read(part, final=final and at == len(parts)) for at, part in enumerate(parts, 1))

    def _read(self, piece: str, *, final: bool) -> str:
        self._text += piece
        done: list[str] = []
        while self._text:
            step = self._step(final)
            if step is None:
                early = self._early()
                done.append(self._text[self._sent : early])
                self._sent = max(self._sent, early)
                break
            done.append(step.output[self._sent :])
            self._sent = max(0, self._sent - step.consumed)
            self._text = self._text[step.consumed :]
            self._before = (self._before + _MARKUP.sub("", step.output))[-2:]
        return "".join(done)

    def _step(self, final: bool) -> Step | None:
        if self.fence:
            return self._code_line(final)
        return self._line_start(final) if self._starts else self._inline(final)

    def _code_line(self, final: bool) -> Step | None:
        """One line of a code block, verbatim; the line that ends it as a renderer ends it."""
        line, newline, _ = self._text.partition("\n")
        end = _FENCE_ENDS.match(line)
        if not newline and not final:
            return None
        if end and end[1].startswith(self.fence):
            output, self.fence = self.fence + newline, ""
            return Step(len(line) + len(newline), output)
        return Step(len(line) + len(newline), line + newline)

    def _line_start(self, final: bool) -> Step | None:
        """What a line begins with: a fence, the marker of a list or a quotation, a heading's."""
        blank = len(self._text) - len(self._text.lstrip(" \t"))
        indent, rest = self._text[:blank], self._text[blank : blank + _LONGEST_HEAD]
        growing = not final and blank + len(rest) == len(self._text)
        if growing and (len(rest) < 2 or _GROWING.fullmatch(rest) or markers.GROWING.fullmatch(rest)):
            return self._empty_line(blank) if rest == "\n" else None
        if rest.startswith("\n"):
            return self._empty_line(blank)
        if rest[:1] in ("`", "~") and self._code_is_exempt:
            return self._fence(indent, rest, growing)
        if (marker := markers.MARKER.match(rest)) and (output := self._marker(indent, marker)) is not None:
            self._nested = True
            return Step(blank + marker.end(), output)
        if not self._nested:
            self._markers.text()
        self._starts = False
        self._may_define = self._may_define or rest[:1] in ("[", "{")
        heading = _HEADING.match(rest) if self._markers.heads(indent, nested=self._nested) else None
        self._heading = heading is not None
        return self._as_is(blank + (heading.end() if heading else 0))

    def _marker(self, indent: str, marker: re.Match[str]) -> str | None:
        if self._nested:
            return indent + marker[0] if self._markers.further(indent, marker) else None
        before = self._markers.first(indent, marker)
        return None if before is None else before + indent + marker[0]

    def _empty_line(self, blank: int) -> Step:
        if not self._nested:
            self._markers.blank()
            self._may_define = False
        self._nested = False
        return self._as_is(blank + 1)

    def _fence(self, indent: str, rest: str, growing: bool) -> Step | None:
        run = rest[: len(rest) - len(rest.lstrip(rest[0]))]
        info, newline, _ = rest[len(run) :].partition("\n")
        if growing and not newline and (len(run) >= 3 or not info):
            return None
        self._starts = False
        if not self._nested:
            self._markers.text()
        if len(run) < 3:
            return self._as_is(len(indent))
        whole = newline or len(indent) + len(rest) == len(self._text)
        if not whole or "`" in info:
            return Step(len(indent) + len(run), indent + _escaped(run))
        self._starts, self.fence = True, run
        language = _LANGUAGE.match(info.strip())
        length = len(indent) + len(run) + len(info) + len(newline)
        apart, self._nested = " …\n" if self._nested else "", False
        return Step(length, f"{apart}{run}{language[0] if language else ''}{newline}")

    def _inline(self, final: bool) -> Step | None:
        if self._text[0] == "\n":
            self._starts, self._nested, self._heading, self._filled = True, False, False, ""
            return self._as_is(1)
        value, self._filled = self._filled, ""
        step = self._token(value, final)
        if step is None:
            self._filled = value
            return None
        self._heading = False
        if value and not self._filled and not step.output.strip(" *_~"):
            self._filled, self._apart = value, self._apart or " " in step.output
        return step

    def _token(self, value: str, final: bool) -> Step | None:
        """What comes next within a line; `value` is that of a reference right before."""
        text = self._text
        c = text[0]
        if c in "{\\<" and len(text) < 2 and not final:
            return None
        if value and (c in "%‰×" or (c.isalnum() and not self._apart)):
            return self._glued(value, final)
        if c == "`" and self._code_is_exempt:
            return self._code(final)
        if text.startswith("{{"):
            return self._reference(final)
        if c == "\\":
            spelled = own.spelled(text[:_LONGEST_HEAD], final=final)
            if spelled is None:
                return None
            if spelled:
                return self._as_is(spelled)
            return self._as_is(2 if text[1:2] in _PUNCTUATION else 1)
        bracketed = c in ("(:" if self._may_define else "(") and self._before.endswith("]")
        if bracketed or (c == "<" and re.match(r"[A-Za-z/!?]", text[1:])):
            return Step(1, f"\\{c}")
        return self._chunk(value, final) if own.CHUNK.match(c) else self._as_is(1)

    def _reference(self, final: bool) -> Step | None:
        end = self._text.find("}}", 2, LONGEST)
        if end < 0:
            if len(self._text) < LONGEST and not final:
                return None
            self.problems.append("`{{` opens a reference that no `}}` ends")
            return self._as_is(2)
        return self._value(self._text[2:end], end + 2)

    def _value(self, expression: str, length: int) -> Step:
        try:
            value = self._facts.value(expression)
        except NoSuchReference as problem:
            self.problems.append(str(problem))
            return Step(length, unfilled(expression))
        self.cited[f"{{{{{expression}}}}}"] = None
        last, before = self._before[-1], self._before[-2:-1]
        if last.isalnum() or (last in _SIGNS and not before.isalpha() and before != ")"):
            self.own.append(last + value)
            return Step(length, value + MARK)
        self._filled, self._apart = value, False
        return Step(length, value)

    def _glued(self, value: str, final: bool) -> Step | None:
        """What makes another number of a value: a digit, a letter or a sign right after it."""
        chunk = own.CHUNK.match(self._text, 0, own.LONGEST)
        end = chunk.end() if chunk else 1
        if chunk and not self._complete(end, final):
            return None
        return self._marked(end, value + self._text[:end])

    def _code(self, final: bool) -> Step | None:
        """Code within a line; without an end on the line, or with a cell's border inside, it is no code for any renderer."""
        run = self._text[: len(self._text) - len(self._text.lstrip("`"))]
        window = self._text[: len(run) + _LONGEST_CODE].partition("\n")[0]
        closing = re.search(rf"(?<!`){run}(?!`)", window[len(run) :])
        open_end = len(window) == len(self._text) and len(window) < len(run) + _LONGEST_CODE and not final
        if open_end and (closing is None or len(run) + closing.end() == len(window)):
            return None
        if len(run) + (closing.end() if closing else 0) >= len(run) + _LONGEST_CODE:
            closing = None
        if closing is None or "|" in (code := window[len(run) : len(run) + closing.start()]):
            return Step(len(run), _escaped(run))
        end = len(run) + closing.end()
        if reference := re.fullmatch(r"\s*\{\{(.+)\}\}\s*", code):
            return self._value(reference[1], end)
        if own.is_bare(code, self._facts.ids):
            return self._marked(end, code.strip())
        return self._as_is(end)

    def _chunk(self, value: str, final: bool) -> Step | None:
        """A word, or a number with all that hangs on it."""
        chunk = own.CHUNK.match(self._text, 0, own.LONGEST)
        end = chunk.end() if chunk else 1
        if not self._complete(end, final):
            return None
        text = self._text[:end]
        if not own.is_numeric(text):
            return self._word(value, final)
        if self._heading and _NUMBERING.fullmatch(text) and self._text[end : end + 1] in (".", ")"):
            return self._as_is(end)
        sign = own.UNIT_SIGN.match(self._text, end)
        if not sign and own.is_name(text, self._facts.ids):
            return self._as_is(end)
        before = self._before[-1] if self._before[-1] in _SIGNS else ""
        end = sign.end() if sign else end
        return self._marked(end, before + self._text[:end])

    def _word(self, value: str, final: bool) -> Step | None:
        """One word, or the quantity in words that begins with it."""
        word = own.WORD.match(self._text)
        length = word.end() if word else 1
        if value and word and word[0].lower() in ("percent", "percentage"):
            return self._marked(length, f"{value} {word[0]}")
        if word is None or not own.may_begin_a_quantity(word[0], complete=True):
            return self._as_is(length)
        window = self._text[: own.PHRASE]
        end = _PHRASE_ENDS.search(window)
        if end is None and len(window) < own.PHRASE and not final:
            return None
        found = own.QUANTITY.match(window[: end.start()] if end else window)
        return self._marked(found.end(), found[0]) if found else self._as_is(length)

    def _complete(self, end: int, final: bool) -> bool:
        """Whether a chunk that ends here is a whole one, with the sign that may follow it."""
        rest = self._text[end : end + 2]
        return final or end >= own.LONGEST or (bool(rest) and (len(rest) > 1 or rest not in own.GLUE | {" "}))

    def _early(self) -> int:
        """So many characters of a word that may still grow stay as they are, whatever it grows to."""
        chunk = own.CHUNK.match(self._text, 0, own.LONGEST)
        if chunk is None or self._starts or self.fence or self._filled or own.is_numeric(chunk[0]):
            return 0
        words = list(own.WORD.finditer(self._text, 0, chunk.end()))
        for word in words:
            complete = word.end() < len(self._text)
            if own.may_begin_a_quantity(word[0], complete=complete):
                return word.start()
        return chunk.end()

    def _marked(self, length: int, number: str) -> Step:
        self.own.append(number)
        return Step(length, self._text[:length] + MARK)

    def _as_is(self, length: int) -> Step:
        return Step(length, self._text[:length])


def _escaped(run: str) -> str:
    return "".join(f"\\{c}" for c in run)
