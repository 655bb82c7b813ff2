"""Sweeps of one trained model through real workers: every arm's own result, in order, on the same weights."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lesion.executor.interventions import HeadIntervention, ModuleIntervention, NeuronIntervention, WeightIntervention
from lesion.executor.limits import Limits
from lesion.executor.pool import Pool

from .laboratory import project, station, sweep

SOURCE = Path(__file__).with_name("playground.py").read_text()
WHOLE = "from playground import build_model, evaluate, load_weights, train\n"
COMPILED = """
import playground, torch
from playground import batches, evaluate, load_weights, score, train

def build_model(config):
    return torch.compile(playground.build_model(config), backend="eager")
"""
COMPILES = """
import playground, torch
from playground import build_model, load_weights, train

def evaluate(model, config, split):
    return playground.evaluate(torch.compile(model, backend="eager"), config, split)
"""
NOTHING = "import playground\nfrom playground import build_model, evaluate\n"


def removing(path, removal="zero", **more):
    return ModuleIntervention(path=path, removal=removal, **more)


def ending(number):
    return removing("switch", "constant", constant=float(number))


ENCODER = "encoder.layers.0"
HEAD = HeadIntervention(
    path=f"{ENCODER}.self_attn", projection=f"{ENCODER}.self_attn.out_proj", heads=[1], width=6, removal="zero"
)
COLUMNS = WeightIntervention(parameter=f"{ENCODER}.self_attn.out_proj.weight", columns=(6, 12), removal="zero")
ARMS = {
    "baseline": [],
    "placebo": [removing("encoder", "placebo")],
    "left": [removing("left")],
    "both": [removing("left"), removing("right")],
    "sublayer": [removing(f"{ENCODER}.linear1")],
    "head": [HEAD],
    "its columns": [COLUMNS],
    "mean": [removing("norm", "mean")],
    "resampled": [removing("norm", "resample")],
    "dropout": [removing("dropout", "bypass")],
    "never called": [removing("spare")],
    "zero already": [WeightIntervention(parameter="zeros", removal="zero")],
    "idle together": [removing("spare"), removing("dropout", "bypass")],
    "raises": [ending(1)],
    "resampled again": [removing("norm", "resample")],
    "no such module": [removing("nowhere", "mean")],
    "no such unit": [NeuronIntervention(path="left", units=[12], removal="mean")],
    "exits": [ending(4)],
    "wrong shape": [removing("head", "bypass")],
    "not a number": [removing("head", "constant", constant=1e38)],
    "heads and more": [HEAD, removing("norm", "mean"), COLUMNS, removing("left")],
    "baseline again": [],
}
DYING = {
    "before": [],
    "segfault": [ending(2)],
    "between": [removing("left")],
    "endless": [ending(3)],
    "after": [removing("both", "mean")],
    "last": [],
}
SIZES = {"validation": [9, 9, 6], "test": [9, 9, 6]}
FEW = {name: ARMS[name] for name in ("baseline", "placebo", "left", "both", "head", "baseline again")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    files = {"playground": SOURCE, "whole": WHOLE, "compiled": COMPILED, "compiles": COMPILES, "nothing": NOTHING}
    return project(tmp_path_factory.mktemp("sweeps"), **files)


def finished(folder, jobs, limits=None):
    """The parts of every job in the order in which they came."""
    named = {name: {tag: f"{name}/{tag}" for tag in one.parts} for name, one in jobs.items()}
    renamed = [replace(one, parts=tuple(named[name].values())) for name, one in jobs.items()]
    came = {name: {} for name in jobs}
    with Pool(station(folder, limits), 2) as pool:
        for tag, outcome in pool.run(renamed):
            name, _, part = tag.partition("/")
            assert part not in came[name], "a part came twice"
            came[name][part] = outcome
    return came


@pytest.fixture(scope="module")
def sweeps(folder):
    return finished(
        folder,
        {
            "streamed": sweep(folder / "playground.py", ARMS),
            "in batches": sweep(folder / "playground.py", ARMS, stream=SIZES, memory=1 << 20),
            "whole": sweep(folder / "whole.py", FEW),
            "compiled in batches": sweep(folder / "compiled.py", compiled(FEW), stream=SIZES, memory=1 << 20),
            "compiled": sweep(folder / "compiled.py", compiled(FEW)),
            "compiles": sweep(folder / "compiles.py", FEW),
            "training": sweep(
                folder / "playground.py",
                FEW,
                metrics=("loss", "error"),
                config={"evaluate": "first as it is", "caches": True},
            ),
            "unsteady": sweep(
                folder / "playground.py", {"baseline": []}, metrics=("loss", "error"), config={"evaluate": "unsteady"}
            ),
        },
    )


def compiled(arms):
    """The same arms, by the paths that a compiled model has."""
    return {
        name: [one.model_copy(update=prefixed(one)) for one in interventions] for name, interventions in arms.items()
    }


def prefixed(one):
    return {key: f"_orig_mod.{getattr(one, key)}" for key in ("path", "projection") if hasattr(one, key)}


@pytest.fixture(scope="module")
def streamed(sweeps):
    return sweeps["streamed"]


def told(outcome):
    """What an arm measured, without what times it; of one in batches without its print, which sums up less than others do."""
    fingerprint = outcome.fingerprint if outcome.same is None else None
    return outcome.status, outcome.metrics, outcome.examples, fingerprint


def test_results_come_in_the_order_in_which_arms_end(sweeps):
    assert list(sweeps["streamed"]) == list(ARMS)
    assert list(sweeps["compiled"]) == list(FEW)
    assert set(sweeps["in batches"]) == set(ARMS)
    assert list(sweeps["in batches"])[:2] == ["baseline", "baseline again"]


@pytest.mark.parametrize(("name", "other"), [("in batches", "streamed"), ("compiled in batches", "compiled")])
def test_batch_by_batch_every_arm_comes_to_the_same(sweeps, name, other):
    for arm, outcome in sweeps[name].items():
        one_by_one = sweeps[other][arm]
        assert (outcome.status, outcome.metrics, outcome.examples) == (
            one_by_one.status,
            one_by_one.metrics,
            one_by_one.examples,
        ), arm
        assert outcome.message == one_by_one.message
        assert [(one.target, one.changed, one.reason) for one in outcome.proofs] == [
            (one.target, one.changed, one.reason) for one in one_by_one.proofs
        ]
        if outcome.status == "ok" and not arm.startswith("baseline"):
            assert outcome.same == (one_by_one.fingerprint == sweeps[other]["baseline"].fingerprint)
            assert outcome.replayed is not None
            assert not outcome.remarks


def test_a_baseline_tells_whether_its_batches_can_be_scored_in_any_order(sweeps):
    told = {name: outcomes["baseline"].batches for name, outcomes in sweeps.items()}
    assert told["streamed"] == told["in batches"] == told["compiled"] == SIZES
    assert told["whole"] == told["training"] == told["unsteady"] == {}


def test_the_last_arm_finds_the_model_as_the_first_did(sweeps):
    for name, outcomes in sweeps.items():
        if name != "unsteady":
            assert told(outcomes["baseline"]) == told(outcomes["baseline again"]), name
            assert outcomes["baseline"].status == "ok", name


def test_a_placebo_changes_no_bit(sweeps):
    for name, outcomes in sweeps.items():
        if name != "unsteady":
            assert told(outcomes["placebo"])[:3] == told(outcomes["baseline"])[:3], name
            assert outcomes["placebo"].same or outcomes["placebo"].fingerprint == outcomes["baseline"].fingerprint
            assert outcomes["placebo"].fired
            assert not outcomes["placebo"].changed


def test_evaluating_twice_tells_whether_it_is_deterministic(sweeps):
    assert all(outcomes["baseline"].wobble == 0 for name, outcomes in sweeps.items() if name != "unsteady")
    assert sweeps["unsteady"]["baseline"].wobble > 0
    assert all(outcomes["left"].wobble is None for name, outcomes in sweeps.items() if name != "unsteady")


def test_where_score_gives_not_every_metric_evaluations_are_whole(sweeps):
    assert sweeps["unsteady"]["baseline"].metrics["test"]["loss"] > sweeps["whole"]["baseline"].metrics["test"]["loss"]


def test_a_perfect_backup_is_changed_and_yet_nothing_comes_of_it(streamed):
    left, both = streamed["left"], streamed["both"]
    assert left.changed
    assert told(left) == told(streamed["baseline"])
    assert both.fingerprint != left.fingerprint
    assert both.metrics != left.metrics


def test_cuts_take_effect_under_the_fast_path_that_is_off(streamed):
    assert streamed["sublayer"].proofs[0].calls > 0
    assert streamed["sublayer"].metrics != streamed["baseline"].metrics


def test_a_head_is_its_columns(streamed):
    head, columns = streamed["head"], streamed["its columns"]
    assert head.metrics["test"]["loss"] == pytest.approx(columns.metrics["test"]["loss"], rel=1e-6)
    assert head.metrics["test"]["loss"] != pytest.approx(streamed["baseline"].metrics["test"]["loss"], rel=1e-4)


def test_what_is_drawn_does_not_depend_on_the_arms_before(streamed):
    assert told(streamed["resampled"]) == told(streamed["resampled again"])
    assert streamed["resampled"].metrics != streamed["baseline"].metrics != streamed["mean"].metrics


@pytest.mark.parametrize(
    ("arm", "reason"),
    [
        ("dropout", "dropout passes everything on in evaluation mode"),
        ("never called", "the module was never called"),
        ("zero already", "the weight was what it is set to already"),
        (
            "idle together",
            "spare: the module was never called; dropout: dropout passes everything on in evaluation mode",
        ),
    ],
)
def test_what_changes_nothing_says_why(streamed, arm, reason):
    assert not streamed[arm].changed
    assert streamed[arm].idle_reason == reason
    assert told(streamed[arm]) == told(streamed["baseline"])


@pytest.mark.parametrize(
    ("arm", "status", "message"),
    [
        ("raises", "crashed", "KeyError: 'an arm of its own'"),
        ("exits", "crashed", "SystemExit:  (the experiment called sys.exit)"),
        ("no such module", "refused", "the model has no module 'nowhere'"),
        ("no such unit", "refused", "left has 12 units: there is no unit 12"),
        ("wrong shape", "refused", "bypass of head: its input is (9, 12), its output (9, 1)"),
        ("not a number", "diverged", "not a finite number: loss on validation, loss on test"),
    ],
)
def test_an_arm_that_fails_has_its_own_outcome(streamed, arm, status, message):
    outcome = streamed[arm]
    assert (outcome.status, outcome.metrics, outcome.whole_job) == (status, {}, False)
    assert message in outcome.message


def test_several_kinds_go_together(streamed):
    proofs = streamed["heads and more"].proofs
    assert [proof.removal for proof in proofs] == ["zero", "mean", "zero", "zero"]
    assert proofs[0].target == f"{ENCODER}.self_attn/1"
    assert all(proof.calls for proof in proofs)


def test_whole_evaluations_agree_with_streamed_ones(sweeps):
    for arm in FEW:
        for split, metrics in sweeps["whole"][arm].metrics.items():
            assert metrics["loss"] == pytest.approx(sweeps["streamed"][arm].metrics[split]["loss"], rel=1e-5)


@pytest.mark.parametrize("name", ["compiled", "compiles"])
def test_compiled_models_are_cut_like_others(sweeps, name):
    other = sweeps["streamed" if name == "compiled" else "whole"]
    for arm in FEW:
        assert sweeps[name][arm].metrics == other[arm].metrics
        assert sweeps[name][arm].changed == other[arm].changed
    assert sweeps[name]["baseline"].fingerprint == other["baseline"].fingerprint


def test_an_evaluation_that_changes_weights_is_told_and_undone(sweeps):
    buffers = {"norm.running_mean", "norm.running_var", "norm.num_batches_tracked", "cached"}
    training = sweeps["training"]
    assert all(set(outcome.changed_weights) == buffers for outcome in training.values())
    assert training["baseline"].metrics != sweeps["whole"]["baseline"].metrics
    assert not any(outcome.changed_weights for name in ("streamed", "whole") for outcome in sweeps[name].values())


@pytest.mark.parametrize("how", [{}, {"stream": SIZES}], ids=["one by one", "in batches"])
def test_an_arm_whose_process_dies_leaves_the_rest_to_another(folder, how):
    limits = Limits(seconds=5, memory=2 << 30)
    died = finished(folder, {"only": sweep(folder / "playground.py", DYING, **how)}, limits)["only"]
    assert set(died) == set(DYING)
    statuses = {"segfault": "crashed", "endless": "timed-out", "after": "refused"}
    assert {name: one.status for name, one in died.items()} == {name: statuses.get(name, "ok") for name in DYING}
    assert died["segfault"].message == "ended by signal SIGSEGV"
    assert died["endless"].message == "ran longer than 5 s"
    assert died["after"].message == "the model has no module 'both'"
    assert told(died["before"]) == told(died["last"])
    assert told(died["between"])[:3] == told(died["before"])[:3]
    assert died["between"].changed


def test_what_all_arms_share_fails_for_every_arm_once(folder, tmp_path):
    other = tmp_path / "other.pt"
    torch.save(torch.nn.Linear(2, 2).state_dict(), other)
    arms = {"baseline": [], "left": [removing("left")], "head": [HEAD]}
    file = folder / "playground.py"
    jobs = {
        "build": sweep(file, arms, config={"build": "raises"}),
        "function": sweep(folder / "nothing.py", arms),
        "checkpoint": sweep(file, arms, reads=other),
    }
    ended = finished(folder, jobs)
    messages = {
        "build": ("crashed", "ValueError: no such width"),
        "function": ("invalid", "nothing.py has no function load_weights"),
        "checkpoint": ("crashed", "Missing key(s) in state_dict"),
    }
    for name, (status, message) in messages.items():
        assert list(ended[name]) == list(arms)
        for outcome in ended[name].values():
            assert (outcome.status, outcome.whole_job) == (status, True)
            assert message in outcome.message
