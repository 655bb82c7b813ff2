"""A trained model on a bench: removals scored batch by batch as a job does it, and by a plain loop that knows nothing of that."""

from types import SimpleNamespace

import torch
from lesion.executor.inside.experiment import Config, Run, batch_name
from lesion.executor.inside.operate import operate, undo
from lesion.executor.inside.streaming import Stream
from lesion.executor.inside.sweep import Sweep
from lesion.executor.inside.wire import pack

MEMORY = 1 << 30
ONE_SPLIT = ("evaluation",)


def run_of(model, batches, score, reference=(), seed=0):
    """A run of an experiment that was never in a file. `batches`: a list, or a function without arguments that gives them."""
    run = object.__new__(Run)
    run.seed, run.config, run.seconds, run.model = seed, Config(), {}, model
    given = batches if callable(batches) else lambda: iter(batches)
    run.module = SimpleNamespace(
        batches=lambda _config, split: iter(reference) if split == "reference" else given(),
        score=score,
        evaluate=lambda _model, _config: {},
        __file__="experiment.py",
    )
    run.module.build_model = run.module.load_weights = None
    return run


def streamed(run, arms, memory=MEMORY, **job):
    """Arm → what a job tells of it, or the error that it failed with."""
    whole = Sweep(run, ["loss"])
    names = list(arms)
    listed = list(run.listed("validation"))
    entries = [dict(arms[name]) if isinstance(arms[name], dict) else {"interventions": arms[name]} for name in names]
    parts = [specs for one in entries for specs in one.get("parts", {}).values()]
    specs = [one for each in (*(entry["interventions"] for entry in entries), *parts) for one in each]
    message = {"arms": entries, "memory": memory, "stream": {"evaluation": sizes(run, listed)}, **job}
    found = {}
    for part, ask in Stream(run, message, whole.references(specs), whole.restore, lambda _part: None).results(
        range(len(names))
    ):
        try:
            found[names[part]] = ask()
        except Exception as error:
            found[names[part]] = error
    return found


def sizes(run, batches):
    """Examples of each batch."""
    run.model.eval()
    return [len(next(iter(run.scored(batch, "size").values()))) for batch in batches]


def plainly(run, specs):
    """Column → packed values of one removal: a loop over the batches with the cuts in place, and nothing else."""
    whole = Sweep(run, ["loss"])
    references = whole.references(specs)
    columns = {}
    run.model.eval()
    made = operate(run.model, specs, run.seed, references)
    try:
        for place, batch in enumerate(run.listed("validation")):
            for cut in made:
                cut.fill.begin(batch_name("validation", place))
            for name, values in run.scored(batch, batch_name("validation", place)).items():
                columns.setdefault(name, []).extend(values)
    finally:
        undo(made)
    return {name: pack(values) for name, values in columns.items()}, [cut.proof() for cut in made]


def same_as_plain(run, arms, **job):
    """Every arm's outcome, after it was held against the plain loop, bit for bit."""
    found = streamed(run, arms, **job)
    for name, specs in arms.items():
        columns, proofs = plainly(run, specs)
        assert not isinstance(found[name], Exception), (name, found[name])
        assert found[name]["examples"]["evaluation"] == columns, name
        told = [(one["target"], one["changed"], bool(one["calls"])) for one in found[name]["proofs"]]
        assert told == [(one["target"], one["changed"], bool(one["calls"])) for one in proofs], name
    return found


def module(path, removal="zero", **more):
    return {"kind": "module", "path": path, "removal": removal, **more}


def head(projection, number, width, removal="zero"):
    return {
        "kind": "head",
        "path": projection.rpartition(".")[0],
        "projection": projection,
        "heads": [number],
        "width": width,
        "removal": removal,
    }


def weight(parameter, removal="zero", **more):
    return {"kind": "weight", "parameter": parameter, "removal": removal, **more}


def units(path, *numbers, removal="zero", dim=-1):
    return {"kind": "neuron", "path": path, "units": list(numbers), "dim": dim, "removal": removal}


def tokens(count, size, vocabulary, length=12, seed=0):
    """Batches of random token ids."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(vocabulary, (size, length), generator=generator) for _ in range(count)]
