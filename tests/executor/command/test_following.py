"""The model of a script, however the script holds it: what is cut in it is cut wherever it runs."""

import pytest
from lesion.executor.interventions import ModuleIntervention, WeightIntervention

from ..laboratory import project, run
from .bench import asked, experiment, workplace

SCENES = """
import copy, io, sys, torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 8)
        self.head = nn.Linear(8, 1, bias=False)
    def forward(self, x):
        return self.head(self.body(x))

class Aliased(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(4, 8), nn.Linear(8, 1, bias=False)
        self.steps = nn.Sequential(self.body, self.head)
    def forward(self, x):
        return self.steps(x)

class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Linear(8, 1)
    def forward(self, x):
        return self.net(x)

def say(output):
    print("loss", output.abs().sum().item())

def plain(x):
    say(Net()(x))

def aliased(x):
    say(Aliased()(x))

def copied_before(x):
    model = Net()
    average = copy.deepcopy(model)
    model(x)
    say(average(x))

def copied_after(x):
    model = Net()
    model(x)
    say(copy.deepcopy(model)(x))

def rebuilt_late(x):
    model = Net()
    for _ in range(100):
        model(x)
    again = Net()
    again.load_state_dict(model.state_dict())
    say(again(x))

def saved_whole(x):
    model, file = Net(), io.BytesIO()
    model(x)
    torch.save(model, file)
    file.seek(0)
    say(torch.load(file, weights_only=False)(x))

def saved_safely(x):
    model, file = Net(), io.BytesIO()
    model(x)
    torch.save(copy.deepcopy(model), file)
    file.seek(0)
    with torch.serialization.safe_globals([Net, nn.Linear, set]):
        say(torch.load(file, weights_only=True)(x))

def inner_first(x):
    model = Net()
    model.body(x)
    say(model(x))

def two(x):
    encoder, decoder = nn.Sequential(nn.Linear(4, 8)), Decoder()
    say(decoder(encoder(x)))

def stacked(x):
    first, second = nn.Sequential(nn.Linear(4, 4)), nn.Sequential(nn.Linear(4, 4))
    for _ in range(3):
        out = second(first(x))
    say(out)

def in_turn(x):
    blocks = nn.Sequential(nn.Sequential(nn.Linear(4, 4)), nn.Sequential(nn.Linear(4, 4)))
    for block in blocks:
        x = block(x)
    say(x)

class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.critic, self.actor = nn.Sequential(nn.Linear(4, 8)), Net()

def held(x):
    agent = Agent()
    say(agent.actor(x + agent.critic(x).mean()))

def compiled(x):
    say(torch.compile(Net())(x))

def wrapped(x):
    say(nn.DataParallel(Net())(x))

def swallows(x):
    try:
        Net()(x)
    except Exception:
        pass
    print("loss 1")

def by_hand(x):
    weights = torch.randn(4, 1, requires_grad=True)
    for step in range(3):
        loss = (x @ weights).square().mean()
        loss.backward()
        with torch.no_grad():
            weights -= 0.1 * weights.grad
        weights.grad = None
    print("loss", loss.item())

globals()[sys.argv[1]](torch.randn(16, 4))
"""
BODY = ModuleIntervention(path="body", removal="zero")
CUTS = {
    "aliased": [BODY],
    "copied_before": [BODY],
    "copied_after": [BODY],
    "rebuilt_late": [BODY],
    "saved_whole": [BODY],
    "saved_safely": [BODY],
    "inner_first": [WeightIntervention(parameter="head.weight", removal="zero")],
    "two": [ModuleIntervention(path="Decoder.net", removal="zero")],
    "held": [ModuleIntervention(path="actor.body", removal="zero")],
    "compiled": [BODY],
    "wrapped": [BODY],
}
REFUSED = {
    "swallows": ([ModuleIntervention(path="body", removal="bypass")], "its input is (16, 4), its output (16, 8)"),
    "plain": ([ModuleIntervention(path="tail", removal="zero")], "the model has no 'tail'; it has body, head"),
    "by_hand": ([BODY], "nothing to cut: it never called a torch module"),
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    folder = project(tmp_path_factory.mktemp("following") / "project", scenes=SCENES)
    scene = {name: experiment(folder, f"python scenes.py {name}") for name in [*CUTS, *REFUSED]}
    jobs = {name: asked(scene[name], cuts=cuts) for name, cuts in CUTS.items()}
    jobs |= {name: asked(scene[name], cuts=cuts) for name, (cuts, _) in REFUSED.items()}
    jobs |= {"uncut": asked(scene["plain"]), "by hand, surveyed": asked(scene["by_hand"], "anatomy")}
    jobs |= {
        "two, surveyed": asked(scene["two"], "anatomy"),
        "held, surveyed": asked(scene["held"], "anatomy"),
        "stacked, surveyed": asked(experiment(folder, "python scenes.py stacked"), "anatomy"),
        "in turn, surveyed": asked(experiment(folder, "python scenes.py in_turn"), "anatomy"),
        "isolated": asked(experiment(folder, "python -E scenes.py plain"), cuts=[BODY]),
    }
    return run(workplace(folder), jobs)


@pytest.mark.parametrize("name", CUTS)
def test_a_cut_reaches_the_model_wherever_it_runs(outcomes, name):
    found = outcomes[name]
    assert (found.status, found.metrics) == ("ok", {"evaluation": {"loss": 0.0}}), found
    assert found.changed
    assert outcomes["uncut"].metrics["evaluation"]["loss"] > 0


@pytest.mark.parametrize("name", REFUSED)
def test_a_cut_that_cannot_be_is_refused_with_its_reason(outcomes, name):
    assert outcomes[name].status == "refused", outcomes[name]
    assert REFUSED[name][1] in outcomes[name].message


def test_a_python_that_takes_no_environment_cannot_be_cut_and_that_is_said(outcomes):
    assert outcomes["isolated"].status == "refused"
    assert "no Python that it started could be attached to" in outcomes["isolated"].message


def test_several_models_are_described_under_names_of_their_own(outcomes):
    found = outcomes["two, surveyed"]
    assert [one.path for one in found.anatomy] == ["0", "Decoder.net"]
    assert [one.name for one in found.tensors] == ["0.weight", "0.bias", "Decoder.net.weight", "Decoder.net.bias"]
    assert found.parameters == 4 * 8 + 8 + 8 + 1
    assert found.models == ["Decoder", "Sequential"]


def test_what_is_held_by_a_module_that_is_never_called_has_its_path_there(outcomes):
    assert [one.path for one in outcomes["held, surveyed"].anatomy] == ["critic.0", "actor.body", "actor.head"]


def test_parts_that_only_look_alike_are_no_copies(outcomes):
    assert [one.path for one in outcomes["stacked, surveyed"].anatomy] == ["0", "Sequential.0"]
    assert [one.path for one in outcomes["in turn, surveyed"].anatomy] == ["0.0", "1.0"]


def test_a_script_without_modules_is_surveyed_without_anatomy_and_that_is_said(outcomes):
    found = outcomes["by hand, surveyed"]
    assert (found.status, found.anatomy) == ("ok", [])
    assert (found.repeatable, found.seeded) == (True, True)
    assert "never calls a torch module" in found.remarks[0]
