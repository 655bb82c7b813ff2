"""True sentences with one thing changed are caught: the share of each kind of change is printed."""

from collections import Counter

from hitrate import refused, sentences
from mutated import mutated

LEAST = 0.9
"""Some changes leave a sentence true, or turn it into one that claims nothing."""


def test_a_true_sentence_with_one_thing_changed_is_caught(capsys):
    made, missed = Counter(), []
    for one in sentences("true.txt"):
        if refused(one):
            continue
        for kind, changed in mutated(one):
            made[kind] += 1
            missed += [] if refused(changed) else [(kind, changed.text)]
    lost = Counter(kind for kind, _ in missed)
    caught = 1 - len(missed) / made.total()
    with capsys.disabled():
        told = ", ".join(f"{kind} {n - lost[kind]}/{n}" for kind, n in made.items())
        print(f"\n{caught:.1%} of {made.total()} changed sentences caught: {told}")
    assert caught >= LEAST, missed
    assert lost["digit"] <= 0.05 * made["digit"], missed
    assert made.total() >= 250 and min(made.values()) >= 10
