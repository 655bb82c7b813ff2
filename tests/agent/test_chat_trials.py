"""`lesion chat` in a real terminal while trials run: approvals, refusals, results as they come, leaving, other processes."""

import os
import subprocess

from ..experiments import LESION
from ..llm.talk import speaks, talking
from ..processes import gone
from .chat.program import LEFT, RIGHT, RUN, YES, ZEROING, Chat, events, hold, proposing, talked
from .chat.watched import CTRL_C, CTRL_D

OK = "SELECT COUNT(*) FROM trials WHERE status = 'ok'"
OVERRIDE = {
    **{"key": "weight_decay", "value": "0.0", "label": "weight decay", "kind": "regularization"},
    **{"hypothesis": "it helps", "direction": "worse", "size": 2.0, "confidence": 80, "change_of_mind": "none"},
}


def driver(made):
    return int((made.state / "lock").read_text())


def started(chat, *names):
    """Trials of these run, and wait."""
    chat.say(f"/plan {' '.join(names)}")
    chat.see("Added to the draft")
    chat.say("/run")
    chat.asks("as round")
    chat.enter()
    chat.see("Started in the background")
    chat.until(lambda: "2 running" in chat.text)  # of the toolbar
    return driver(chat.made)


def test_an_approval_shows_everything_exactly_and_nothing_ran_before(made):
    hold(made)
    made.edit("lesion.toml", 'components = ["config:use_*", "config:unused_dropout"]\n', "")
    turns = [speaks("", proposing(LEFT, overrides=(OVERRIDE,), edits=(ZEROING,))), speaks("", RUN), speaks("It runs.")]
    with talking(*turns) as server, Chat(made, server=server) as chat:
        chat.consent("try it")
        chat.asks("as round 1")
        chat.see("-        optimizer.zero_grad()", "use_left = false", "weight_decay = 0.0")
        chat.see("the model says: it is the question", "trials: 12", "time: not known before something was measured")
        chat.see("the confirmatory family")
        chat.enter("/diff")  # looks, and is no answer
        chat.until(lambda: chat.flat.count("use_left = false") >= 2)
        chat.asks()
        assert not (made.state / "ledger.db").exists() and not list((made.state / "queue").glob("*"))
        chat.enter()
        chat.see("It runs.")
        chat.until(lambda: "running" in chat.text)
        chat.say("/stop")
        chat.see("Stopped; every finished trial is kept")
        assert chat.leave() == 0
    (approved,) = events(made, "approved")
    assert {"config:use_left", "config:weight_decay"} < set(approved["ids"]) and len(approved["ids"]) == 3


def test_a_refusal_with_a_reason_changes_the_next_proposal_and_results_come_while_one_types(made):
    def second(request):
        assert "too dear, only the right one" in request.answers[-1]
        return speaks("Then the right one.", ("withdraw", {"ids": [LEFT]}), proposing(RIGHT))

    turns = [
        speaks("", proposing(LEFT)),
        speaks("", RUN),
        second,
        speaks("", RUN),
        speaks("It runs."),
        speaks('It is {{ effect("config:use_right").verdict }}.'),
    ]
    waits = hold(made)
    with talking(*turns) as server, Chat(made, server=server) as chat:
        chat.consent("try it")
        chat.asks("as round 1")
        chat.enter("too dear, only the right one")
        chat.asks("Then the right one.")
        chat.enter()
        chat.see("It runs.")
        chat.prompted()
        chat.send("half a sent")
        chat.until("> half a sent")
        waits.unlink()
        chat.see("config:use_right (retraining): matters", "Training needs it: removing it costs more than δ")
        chat.see("The run has ended")
        chat.until(lambda: chat.current == "> half a sent")
        chat.enter("ence")
        chat.see("It is matters.")
        told = talked(server)[-1].text
        assert "config:use_right (retraining): matters" in told and "half a sentence" in told
        assert chat.leave() == 0
    assert [one["reason"] for one in events(made, "refused")] == ["too dear, only the right one"]
    assert [one["ids"] for one in events(made, "approved")] == [[RIGHT]]
    assert made.rows(OK) == [(6,)]


def test_ctrl_c_leaves_trials_alone_and_stop_ends_them_and_one_may_stay_or_stop(made):
    hold(made)
    with Chat(made) as chat:
        pid = started(chat, LEFT)
        chat.send(CTRL_C)
        chat.see("Ctrl-D or /quit leaves.")
        chat.send(CTRL_D)
        chat.see("Trials are running.", "let them run on", "1–3, Enter for 1:")
        chat.enter("3")
        chat.say("/status")
        chat.see(f"0 of 6 trials, 2 running; pid {pid}")
        chat.say("/stop")
        chat.see("Stopped; every finished trial is kept")
        assert gone(pid)
        chat.say("/mode plan-only")
        chat.say("/run")
        chat.see("Mode plan-only: nothing runs.")
        chat.say("/mode ask")
        chat.say("/run")
        chat.asks("go on with what was approved before: 6 trials")
        chat.enter()
        chat.until(lambda: chat.flat.count("Started in the background") == 2)
        chat.say("/stop")
        chat.until(lambda: chat.flat.count("Stopped; every finished trial") == 2)
        assert chat.leave() == 0


def test_let_run_on_it_finishes_without_the_conversation_and_is_told_once(made):
    waits = hold(made)
    with Chat(made) as chat:
        pid = started(chat, LEFT)
        chat.send(CTRL_D)
        chat.see("Trials are running.", "1–3, Enter for 1:")
        chat.enter()
        assert chat.dies() == 0
    assert not gone(pid, 1)
    waits.unlink()
    assert gone(pid)
    assert made.rows(OK) == [(6,)]
    for times in (1, 0):
        with Chat(made) as chat:
            chat.prompted()
            if times:
                chat.see("config:use_left (retraining): matters", "round 1 is over")
            chat.say("/status")
            chat.see("6 of 6 trials; nothing runs it now")
            assert chat.flat.count("config:use_left (retraining): matters") == times
            assert chat.leave() == 0


def test_stop_at_leaving_stops(made):
    hold(made)
    with Chat(made) as chat:
        pid = started(chat, LEFT)
        chat.send(CTRL_D)
        chat.see("Trials are running.", "1–3, Enter for 1:")
        chat.enter("2")
        assert chat.dies() == 0
    assert gone(pid, 0)


def test_beside_a_night_run_it_reads_and_queues_and_that_process_takes_it_up(made):
    waits = hold(made)
    made.edit("lesion.toml", '"config:unused_dropout"', '"config:weight_decay"')
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LESION", "OPENAI"))}
    night = subprocess.Popen(
        [*LESION, "run", "--interactions", "none"], cwd=made.folder, env=clean, stderr=subprocess.PIPE, text=True
    )
    try:
        with Chat(made) as chat:
            chat.until(lambda: "2 running" in chat.text)
            chat.say("/status")
            chat.see(f"pid {night.pid}")
            chat.say(f"/interactions {LEFT} {RIGHT}")
            chat.see("Added to the draft")
            chat.say("/run")
            chat.asks(f"process {night.pid} is running this study: it takes this up as its next round")
            chat.enter()
            chat.see(f"Approved. Process {night.pid} is running this study")
            chat.say("/stop")
            chat.see("it is left alone")
            waits.unlink()
            chat.see("config:use_left + config:use_right (retraining), together", "round 2 is over")
            chat.see("the study is complete")
            assert chat.leave() == 0
        night.communicate(timeout=120)
    finally:
        night.kill()
        night.communicate()
    assert night.returncode in (0, 3)
    plans = [plan for (plan,) in made.rows("SELECT document FROM plans ORDER BY round")]
    assert '"request":"0001"' in plans[1]
    assert not (made.state / "chat" / "run.log").exists()


def test_an_edit_beside_the_conversation_is_noticed_and_measured_anew(made):
    with Chat(made) as chat:
        chat.say(f"/plan {LEFT}")
        chat.see("Added to the draft")
        chat.say("/run")
        chat.asks("as round 1")
        chat.enter()
        chat.see("The run has ended")
        made.edit("experiment.py", "0.3 * torch.randn", "0.4 * torch.randn")
        chat.say("/results")
        chat.see("The project has changed since", "Nothing is measured yet of this version")
        chat.say(f"/plan {LEFT}")
        chat.say("/run")
        chat.until(lambda: chat.flat.count("as round 1") == 2 and chat.current.startswith(YES))
        assert chat.flat.count("trials: 6") == 2
        chat.enter()
        chat.until(lambda: chat.flat.count("The run has ended") == 2)
        chat.until(lambda: chat.flat.count("config:use_left (retraining): matters") == 2)
        assert chat.leave() == 0
    assert made.rows("SELECT COUNT(DISTINCT version), COUNT(*) FROM trials WHERE status = 'ok'") == [(2, 12)]


def test_auto_runs_within_its_caps_speaks_by_itself_and_asks_beyond_them(made):
    turns = [
        speaks("", proposing(LEFT)),
        speaks("", RUN),
        speaks("It runs."),
        speaks('By itself: {{ effect("config:use_left").verdict }}.', proposing(RIGHT)),
        speaks("", RUN),
        speaks("As you wish."),
    ]
    with talking(*turns) as server, Chat(made, server=server) as chat:
        chat.say("/mode auto 8 trials for 20m")
        chat.see("8 of 8 trials")
        chat.consent("try it")
        chat.see("auto: run 1 ablation", "It runs.")
        chat.prompted()
        chat.send("as I was")
        chat.see("By itself: matters.")
        chat.asks("as round 2")
        chat.enter("enough for today")
        chat.see("As you wish.")
        chat.until(lambda: chat.current == "> as I was")
        chat.send(CTRL_C)
        assert chat.leave() == 0
    assert [one["by"] for one in events(made, "approved")] == ["auto"]
    assert made.rows(OK) == [(6,)]
