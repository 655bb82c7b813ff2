import copy

import pytest
import torch
from lesion.executor.inside.surgery import Refused, operate
from lesion.executor.inside.tensors import weights_digest
from torch import nn


class Network(nn.Module):
    """A trunk, its layers known by a second name too, a dropout, and a head that is never called."""

    def __init__(self, dropout=0.5):
        super().__init__()
        self.inner = nn.Linear(4, 4)
        self.outer = nn.Linear(4, 1)
        self.dropout = nn.Dropout(dropout)
        self.spare = nn.Linear(4, 1)
        self.trunk = nn.Sequential(self.inner, nn.ReLU(), self.dropout, self.outer)

    def forward(self, x):
        return self.trunk(x)


def trained(model, steps=5):
    torch.manual_seed(1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(steps):
        loss = (model(torch.randn(8, 4)) - 1).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return weights_digest(model)


def network(dropout=0.5):
    torch.manual_seed(0)
    return Network(dropout)


def operated(path, removal, **how):
    model = network(**how)
    return model, operate(model, [{"path": path, "removal": removal}])[0]


@pytest.mark.parametrize(
    ("path", "removal"), [("inner", "zero"), ("inner", "bypass"), ("trunk.1", "zero"), ("trunk.1", "bypass")]
)
def test_a_removal_changes_the_training_and_proves_it(path, removal):
    model, surgery = operated(path, removal)
    assert trained(model) != trained(network())
    assert surgery.proof() == {"path": path, "removal": removal, "calls": 5, "changed": True}


def test_the_same_training_twice_gives_the_same_bits():
    assert trained(network()) == trained(network())


def test_a_removal_under_the_modules_own_name_reaches_its_alias():
    model, surgery = operated("inner", "zero")
    x = torch.randn(3, 4)
    model.eval()
    assert torch.equal(model.trunk[0](x), torch.zeros(3, 4))
    assert torch.equal(model(x), model.outer(torch.zeros(3, 4)))
    assert surgery.proof()["calls"] == 2


def test_a_module_that_is_never_called_has_no_proof():
    model, surgery = operated("spare", "zero")
    assert trained(model) == trained(network())
    assert surgery.proof() == {"path": "spare", "removal": "zero", "calls": 0, "changed": False}


def test_bypassing_dropout_is_dropout_zero_bit_for_bit():
    model, surgery = operated("dropout", "bypass")
    assert trained(model) == trained(network(dropout=0.0)) != trained(network())
    assert surgery.proof() == {"path": "dropout", "removal": "bypass", "calls": 5, "changed": True}


def test_bypassing_what_already_passes_everything_on_changes_nothing():
    model, surgery = operated("dropout", "bypass", dropout=0.0)
    assert trained(model) == trained(network(dropout=0.0))
    assert surgery.proof()["changed"] is False


def test_a_deep_copy_keeps_the_removal_and_its_proof():
    model, surgery = operated("inner", "zero")
    copied = copy.deepcopy(model)
    x = torch.randn(3, 4)
    assert torch.equal(copied.inner(x), torch.zeros(3, 4))
    assert trained(copied) == trained(operated("inner", "zero")[0])
    assert surgery.proof() == {"path": "inner", "removal": "zero", "calls": 6, "changed": True}


def test_a_deep_copy_computes_with_its_own_weights():
    model, _ = operated("inner", "zero")
    copied = copy.deepcopy(model)
    seen = []
    copied.inner.register_forward_hook(lambda module, _args, _out: seen.append(module))
    trained(copied)
    assert seen == [copied.inner] * 5
    assert weights_digest(model) == weights_digest(network())


def test_a_bypass_that_would_change_the_shape_is_refused_with_both_shapes():
    model, _ = operated("outer", "bypass")
    with pytest.raises(Refused, match=r"bypass of outer: its input is \(8, 4\), its output \(8, 1\)"):
        trained(model)


@pytest.mark.parametrize("path", ["nowhere", "trunk.9", ""])
def test_a_path_that_names_no_module_is_refused(path):
    with pytest.raises(Refused, match="the model has no module"):
        operate(network(), [{"path": path, "removal": "zero"}])


class Recurrent(nn.Module):
    """Its recurrent layer returns a tuple."""

    def __init__(self):
        super().__init__()
        self.memory = nn.GRU(4, 4, batch_first=True)
        self.head = nn.Linear(4, 1)

    def forward(self, x):
        states, _last = self.memory(x)
        return self.head(states)


def test_a_tuple_is_zeroed_whole_and_its_bypass_is_refused():
    x = torch.randn(2, 3, 4)
    zeroed = Recurrent()
    surgery = operate(zeroed, [{"path": "memory", "removal": "zero"}])[0]
    assert torch.equal(zeroed(x), zeroed.head(torch.zeros(2, 3, 4)))
    assert all(torch.count_nonzero(one) == 0 for one in zeroed.memory(x))
    assert surgery.proof()["changed"] is True
    bypassed = Recurrent()
    operate(bypassed, [{"path": "memory", "removal": "bypass"}])
    with pytest.raises(Refused, match="its output is a tuple"):
        bypassed(x)


def test_looking_at_what_a_bypass_replaces_leaves_the_random_numbers_alone():
    model, surgery = operated("dropout", "bypass")
    torch.manual_seed(7)
    model(torch.ones(8, 4))
    after = torch.rand(4)
    torch.manual_seed(7)
    assert torch.equal(after, torch.rand(4))
    assert surgery.proof()["calls"] == 1
