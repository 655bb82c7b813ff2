"""The line below the prompt on narrow terminals."""

from types import SimpleNamespace

from lesion.agent.chat.draft import Draft
from lesion.agent.chat.screen.terminal import fitting
from lesion.agent.chat.screen.toolbar import Toolbar
from lesion.agent.llm.spending import Usage
from lesion.prompts import phrases


def test_the_mode_stands_first_and_stays_while_something_runs():
    session = SimpleNamespace(mode=SimpleNamespace(mode="auto"), draft=Draft(more_seeds=["a", "b"]))
    used = Usage(tokens_sent=1200, tokens_received=34)
    partner = SimpleNamespace(settings=SimpleNamespace(model="some-model-of-30b"), used=used)
    talk = SimpleNamespace(session=session, partner=partner)
    toolbar = Toolbar(phrases("chat/arrivals.j2").short_progress(4, 10, 2), talk)
    assert fitting(toolbar.parts(), 80) == (
        "auto | 4/10 trials, 2 running | draft 2 | some-model-of-30b | 1,234 tokens"
    )
    assert fitting(toolbar.parts(), 30).startswith("auto")
    toolbar.show(phrases("chat/arrivals.j2").progress(4, 10, 2, "1h 20m", 1234567, 0))
    assert fitting(toolbar.parts(), 80).startswith("auto | 4 of 10 trials, 2 running")
