"""An answer that grows: what is finished and scrolls away is never wrong about what comes later."""

from hypothesis import given, settings
from hypothesis import strategies as st
from lesion.agent.chat.screen.drawmarkdown import finished_blocks, parser

PIECES = [
    "> ",
    "- ",
    "1. ",
    "    ",
    "```",
    "`",
    "**",
    "|",
    "|---|",
    "\n",
    "\n\n",
    " ",
    "word",
    "#",
    "===",
    "---",
    "\t",
    "~~~",
]


def tokens(text):
    return [(token.type, token.content, token.tag) for token in parser().parse(text)]


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
@settings(max_examples=200, deadline=None)
def test_blocks_drawn_one_by_one_are_the_blocks_of_the_whole(text):
    left, parts = 0, []
    for end in range(len(text) + 1):
        finished = finished_blocks(text[left:end])
        if finished:
            parts.append(text[left : left + finished])
            left += finished
    parts.append(text[left:])
    assert [token for part in parts for token in tokens(part)] == tokens(text)


def test_a_paragraph_is_finished_once_another_begins():
    assert finished_blocks("One.\n\nT") == len("One.\n\n")
    assert finished_blocks("One.\n\n") == 0
    assert finished_blocks("One\n=") == 0
    assert finished_blocks("- a\n\n- b\n\nc") == 0  # may be another item by its next letter
    assert finished_blocks("```\n\nx") == 0
