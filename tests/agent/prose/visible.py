"""What a reader sees of Markdown, by an independent renderer; and which of its numbers carry no mark."""

import re

from lesion.agent.prose.facts import Facts
from lesion.agent.prose.own import MARK, is_bare, is_name
from markdown_it import MarkdownIt

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
CHUNK = re.compile(r"[^\W_]+(?:[_.,:/+\-−–=’'@^][^\W_]+)*")
MARKED = re.compile(r" ?[%‰×]?" + re.escape(MARK))
NUMBERING = re.compile(r"\s*(?:1?[0-9]|20)(?:\.[0-9]+)*[.)]")


class Wordy(Facts):
    """Facts whose every value is a word, so that any digit in a text is the model's own."""

    def value(self, expression):
        super().value(expression)
        return "«measured»"


SPELLED = re.compile(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U000[0-9a-f]{5}|U0010[0-9a-f]{4})")


def unspelled(text):
    """Without what cleaning makes of characters that cannot be seen."""
    return SPELLED.sub(lambda found: found[0] if chr(int(found[1][1:], 16)).isprintable() else " ", text)


def unmarked(markdown, ids=()):
    """Numbers that look as if a measured value stood behind them."""
    found = []
    heading = False
    for token in PARSER.parse(markdown):
        heading = token.type == "heading_open" or (heading and token.type != "heading_close")
        if token.type == "html_block":
            found.append(token.content)
        if token.type == "inline":
            found += _in_line(token.children, heading, ids)
    return found


def _in_line(children, heading, ids):
    found = []
    for at, child in enumerate(children):
        after = next((c.content for c in children[at + 1 :] if c.content), "")
        before = children[at - 1].content if at else ""
        if child.type == "code_inline":
            refused = before.endswith("[no such reference: ")
            if is_bare(unspelled(child.content), ids) and not after.startswith(MARK) and not refused:
                found.append(child.content)
        elif child.type == "html_inline":
            found.append(child.content)
        else:
            found += _in_text(child.content, heading and at == 0, ids)
    return found


def _in_text(text, heads, ids):
    text = unspelled(text)
    numbering = NUMBERING.match(text) if heads else None
    for chunk in CHUNK.finditer(text, numbering.end() if numbering else 0):
        numeric = any(c.isnumeric() for c in chunk[0])
        if numeric and not MARKED.match(text, chunk.end()) and not is_name(chunk[0], ids):
            yield chunk[0]
