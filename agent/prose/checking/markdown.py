"""Markdown as its reader sees it: without code blocks, addresses and markup."""

import re

from ..facts import Facts
from ..own import is_bare
from .source import CODE, CODE_ENDS, OPAQUE, SYMBOLS, Plain, Writer

_TOKEN = re.compile(
    r"(?P<reference>\{\{(?P<expression>.{0,296}?)\}\})"
    r"|(?P<front>\A---\n.*?\n---(?=\n))"
    r"|(?P<fence>^[ >]*(?P<run>`{3,}|~{3,})[^\n]*\n.*?(?:^[ >]*(?P=run)[`~]*[ ]*$|\Z))"
    r"|(?P<comment><!--.*?(?:-->|\Z))"
    r"|(?P<border>^[ |:+=-]*-{2,}[ |:+=-]*$)"
    r"|(?P<head>^[ >]{0,12}(?:\#{1,6}[ \t]+(?:[A-Z0-9]{1,2}(?:\.\d+)*\.?[ \t]+(?=\S))?|(?:[-*+]|\d{1,3}[.)])[ \t]+(?:\[[ xX]\][ ])?|>[ ]?))"
    r"|(?P<image>!\[[^\]\n]*\]\([^)\n]*\))"
    r"|(?P<link>\]\([^)\n]*\)|\]\[[^\]\n]*\])"
    r"|(?P<citation>\[(?:\^\w+|-?@[^\]\n]{1,200}|\d{1,3}(?:[,–-][ ]?\d{1,3})*)\])"
    r"|(?P<address><?https?://[^\s<>)]+>?|\bdoi:\S+|\bwww\.\S+)"
    r"|(?P<code>(?<!`)(?P<ticks>`{1,4})(?!`)(?P<inside>[^\n]{1,400}?)(?<!`)(?P=ticks)(?!`))"
    r"|(?P<tag></?[A-Za-z][^<>\n]{0,200}>)"
    r"|(?P<command>\\(?P<symbol>[A-Za-z]{2,12}))"
    r"|(?P<escaped>\\(?P<literal>[!-/:-@\[-`{-~]))"
    r"|(?P<entity>&(?:minus|plusmn|nbsp|times|delta|Delta|alpha|lt|gt|le|ge|amp|ndash|mdash|thinsp);)"
    r"|(?P<emphasis>[*~]+|(?<!\w)_+(?=\S)|(?<=\S)_+(?!\w))"
    r"|(?P<math>\$+)"
    r"|(?P<bar>[ ]*\|[ ]*)",
    re.DOTALL | re.MULTILINE,
)
_ENTITIES = {
    "minus": "−", "plusmn": "±", "nbsp": " ", "times": "×", "delta": "δ", "Delta": "Δ", "alpha": "α", "lt": "<", "gt": ">",
    "le": "≤", "ge": "≥", "amp": "&", "ndash": "–", "mdash": "—", "thinsp": " ",
}  # fmt: skip
_LOOKS_LIKE_AN_ID = re.compile(r"[a-z]+:[\w./ -]+|[\w.-]+")


def read_markdown(text: str, facts: Facts) -> Plain:
    """The plain text of a Markdown document, its references filled."""
    writer, done = Writer(facts), 0
    for token in _TOKEN.finditer(text):
        writer.copy(text[done : token.start()], done)
        _write(writer, token, facts)
        done = token.end()
    writer.copy(text[done:], done)
    return writer.done()


def plain_value(value: str) -> str:
    """The value of a reference without its escapes; what it marks as code is a name."""
    value = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", value)
    return re.sub(r"(`+) ?(.+?) ?\1", lambda code: f"{CODE}{code[2]}{CODE_ENDS}", value)


def _write(writer: Writer, token: re.Match[str], facts: Facts) -> None:
    at = token.start()
    match token.lastgroup if token.lastgroup != "run" else "fence":
        case _ if token["reference"]:
            writer.reference(token["expression"], at, plain_value)
        case _ if token["code"]:
            _code(writer, token["inside"], token.start("inside"), facts)
        case _ if token["command"]:
            writer.put(SYMBOLS.get(token["symbol"], " "), at)
        case _ if token["escaped"]:
            writer.put(token["literal"], at + 1)
        case _ if token["entity"]:
            writer.put(_ENTITIES[token["entity"][1:-1]], at)
        case _ if token["bar"]:
            writer.put(" | ", at)
        case _ if token["head"]:
            writer.put("\n\n", at)
        case _ if token["citation"] or token["address"]:
            writer.put(OPAQUE, at)
        case _ if token["front"] or token["fence"] or token["border"]:
            writer.put("\n", at)
        case _:
            pass


def _code(writer: Writer, code: str, at: int, facts: Facts) -> None:
    """Names and bare numbers stay; any other code makes no claim."""
    if is_bare(code, facts.ids):
        return writer.copy(code, at)
    if code.strip() in facts.ids or _LOOKS_LIKE_AN_ID.fullmatch(code.strip()) or " " not in code.strip()[:40]:
        writer.put(CODE, at)
        writer.copy(code, at)
        return writer.put(CODE_ENDS, at + len(code))
    labels = {label for one in (*facts.results.effects, *facts.results.interactions) for label in one.labels}
    if code.strip() in labels:
        writer.put(CODE, at)
        writer.copy(code, at)
        return writer.put(CODE_ENDS, at + len(code))
    known = any(name in code for name in facts.ids if len(name) > 2)
    return writer.copy(code, at) if known else writer.put(OPAQUE, at)
