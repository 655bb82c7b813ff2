"""What a prompt offers while one types."""

import pytest
from lesion.agent.chat.screen.completion import FILE, ID, ChatCompleter, Command
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

COMMANDS = [
    Command("help", "what there is"),
    Command("why", "why it came out so", [ID]),
    Command("diff", "what an ablation changes", [ID]),
    Command("source", "lines of a file", [FILE]),
    Command("mode", "what runs unasked", ["ask", "auto", "plan-only"]),
]
IDS = {"config:dropout": "a rate", "module:blocks.3.mlp": "", "head:blocks.3.attn/5": ""}
FILES = ["train.py", "nets/model.py"]


def offered(text, *, requested=False, ids=IDS):
    completer = ChatCompleter(lambda: COMMANDS, lambda: ids, lambda: FILES)
    event = CompleteEvent(text_inserted=not requested, completion_requested=requested)
    document = Document(text)
    return [text[: len(text) + each.start_position] + each.text for each in completer.get_completions(document, event)]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("/", ["/help", "/why ", "/diff ", "/source ", "/mode "]),
        ("/wh", ["/why "]),
        ("/why", ["/why "]),
        ("/why ", [f"/why {each}" for each in IDS]),
        ("/why drop", ["/why config:dropout"]),
        ("/why config:dropout mod", ["/why config:dropout module:blocks.3.mlp"]),
        ("/mode a", ["/mode ask", "/mode auto"]),
        ("/source mod", ["/source nets/model.py"]),
        ("/help x", []),
        ("what of @", [*(f"what of {each}" for each in IDS), *(f"what of {each}" for each in FILES)]),
        ("what of @nets", ["what of nets/model.py"]),
        ("is config:d", ["is config:dropout"]),
        ("see train.p", ["see train.py"]),
        ("the mod", []),
        ("mail me@mod", []),
        ("a /wh", []),
        ("first line\n/wh", []),
    ],
)
def test_offers_while_typing(typed, expected):
    assert offered(typed) == expected


def test_a_plain_word_is_completed_when_asked_for():
    assert offered("the mod", requested=True) == ["the module:blocks.3.mlp", "the nets/model.py"]
    assert offered("", requested=True) == []


def test_ids_may_not_be_known_yet():
    assert offered("/why x", ids={}) == []


def test_what_is_offered_is_shown_clean():
    ids = {"edit:\x1b[2J": "", "edit:\u202eback": "", "edit:plain": "\x1b]0;t\x07"}
    completer = ChatCompleter(lambda: COMMANDS, lambda: ids, lambda: ["a\nb"])
    (found,) = completer.get_completions(Document("/why "), CompleteEvent(text_inserted=True))
    assert found.text == "edit:plain"
    assert found.display_meta_text == "]0;t"
    assert not list(completer.get_completions(Document("/source "), CompleteEvent(text_inserted=True)))
