"""Means and examples of the reference split: what they are taken from, where they fit, and that they are only that."""

import random
from collections import OrderedDict

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion.executor.inside.filling import EXAMPLES_KEPT, Statistics
from lesion.executor.inside.operate import watch
from lesion.executor.inside.surgery import Refused
from lesion.executor.interventions import HeadIntervention, ModuleIntervention, NeuronIntervention, WeightIntervention
from torch import nn

from .architectures import Decoder, ResNet
from .laboratory import cut, referred, trace

REFERENCE = torch.arange(30.0).view(10, 3) / 7


def removing(path, removal, **more):
    return ModuleIntervention(path=path, removal=removal, **more)


def passing():
    """A model that hands on what it is given, through a module that can be cut."""
    return nn.Sequential(nn.Identity())


def test_the_evaluated_batch_never_changes_what_was_taken_from_the_reference():
    for removal in ("mean", "resample"):
        model, intervention = passing(), removing("0", removal)
        references = referred(model, [intervention], REFERENCE)
        found = []
        for batch in (torch.full((4, 3), 1e6), torch.full((4, 3), -1e6)):
            with cut(model, intervention, references=references):
                found += [model(batch), model(batch * 2)]
        if removal == "mean":
            assert all(torch.equal(one, REFERENCE.double().mean(0).float().expand(4, 3)) for one in found)
        rows = {tuple(row) for row in REFERENCE.tolist()}
        if removal == "resample":
            assert {tuple(row) for one in found for row in one.tolist()} <= rows
            assert torch.equal(found[0], found[2])


def test_a_mean_weighs_every_example_alike_whatever_the_batches():
    model, intervention = passing(), removing("0", "mean")
    for sizes in ([10], [7, 3], [1] * 10):
        references = referred(model, [intervention], *REFERENCE.split(sizes))
        with cut(model, intervention, references=references):
            torch.testing.assert_close(model(torch.zeros(2, 3)), REFERENCE.mean(0).expand(2, 3), rtol=0, atol=1e-6)


def test_draws_are_the_seeds_and_the_same_for_every_arm():
    model, intervention, x = passing(), removing("0", "resample"), torch.zeros(20, 3)
    references = referred(model, [intervention], REFERENCE)
    found = []
    for seed in (0, 0, 1):
        with cut(model, intervention, seed=seed, references=references):
            found.append([model(x), model(x)])
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1])
    assert not torch.equal(found[0][0], found[0][1])
    assert not torch.equal(found[0][0], found[2][0])


def test_nothing_is_drawn_from_the_generators_of_the_experiment():
    model, x = ResNet().eval(), torch.randn(2, 3, 6, 6)
    interventions = [
        removing("layer1", "resample", dim=1),
        removing("layer2.bn1", "mean", dim=1),
        NeuronIntervention(path="stem", units=[0, 2], dim=1, removal="resample"),
        WeightIntervention(parameter="fc.weight", removal="resample"),
        removing("layer1.relu", "bypass"),
    ]

    def drawn():
        return torch.rand(3).tolist(), random.random(), float(np.random.rand())

    def seed():
        torch.manual_seed(1)
        random.seed(1)
        np.random.seed(1)

    seed()
    expected = drawn()
    seed()
    references = referred(model, interventions, torch.ones(4, 3, 6, 6))
    with cut(model, *interventions, references=references) as cuts:
        model(x)
        assert all(one.proof()["changed"] for one in cuts[:4])
    assert drawn() == expected


@pytest.mark.parametrize("spatial", [(5, 5), (6, 6), (3, 8)])
def test_channels_of_images_have_a_mean_each_and_are_drawn_whole_or_by_position(spatial):
    model, reference = passing(), torch.randn(6, 2, 5, 5)
    x = torch.zeros(4, 2, *spatial)
    mean, resample = removing("0", "mean", dim=1), removing("0", "resample", dim=1)
    with cut(model, mean, references=referred(model, [mean], reference)):
        expected = reference.mean((0, 2, 3)).view(1, 2, 1, 1).expand_as(x)
        torch.testing.assert_close(model(x), expected, rtol=0, atol=1e-6)
    with cut(model, resample, references=referred(model, [resample], reference)):
        found = model(x)
    if spatial == (5, 5):
        assert all(any(torch.equal(one, other) for other in reference) for one in found)
    rows = {tuple(row) for row in reference.movedim(1, -1).reshape(-1, 2).tolist()}
    assert {tuple(row) for row in found.movedim(1, -1).reshape(-1, 2).tolist()} <= rows
    assert found.is_contiguous()


def test_sequences_of_another_length_get_rows_of_any_position():
    model, intervention = passing(), removing("0", "resample")
    reference = torch.randn(6, 5, 3)
    references = referred(model, [intervention], reference)
    rows = {tuple(row) for row in reference.view(-1, 3).tolist()}
    with cut(model, intervention, references=references):
        same, other = model(torch.zeros(4, 5, 3)), model(torch.zeros(4, 9, 3))
    assert all(any(torch.equal(one, whole) for whole in reference) for one in same)
    assert {tuple(row) for row in other.reshape(-1, 3).tolist()} <= rows
    assert len({tuple(row) for row in other.reshape(-1, 3).tolist()}) > 10


def test_references_of_several_lengths_go_together():
    model, mean, resample = passing(), removing("0", "mean"), removing("0", "resample")
    short, long = torch.randn(3, 4, 2), torch.randn(3, 6, 2)
    references = referred(model, [resample], short, long)
    with cut(model, resample, references=references):
        assert all(any(torch.equal(one, whole) for whole in long) for one in model(torch.zeros(5, 6, 2)))
    with cut(model, mean, references=referred(model, [mean], short, long)):
        every = torch.cat([short.view(-1, 2), long.view(-1, 2)]).mean(0)
        torch.testing.assert_close(model(torch.zeros(1, 1, 2))[0, 0], every, rtol=0, atol=1e-6)


def test_one_number_for_each_example_is_one_feature():
    model, mean, resample = nn.Sequential(nn.Flatten(0)), removing("0", "mean"), removing("0", "resample")
    reference = torch.randn(8, 1)
    with cut(model, mean, references=referred(model, [mean], reference)):
        torch.testing.assert_close(model(torch.zeros(3, 1)), reference.mean().expand(3))
    with cut(model, resample, references=referred(model, [resample], reference)):
        assert set(model(torch.zeros(3, 1)).tolist()) <= set(reference.flatten().tolist())


def test_values_keep_the_type_and_the_layout_of_what_they_replace():
    model, x = passing(), torch.zeros(2, 4, 3, 3, dtype=torch.bfloat16).contiguous(memory_format=torch.channels_last)
    for removal in ("mean", "resample"):
        intervention = removing("0", removal, dim=1)
        references = referred(model, [intervention], torch.randn(5, 4, 3, 3))
        with cut(model, intervention, references=references):
            found = model(x)
        assert found.dtype is torch.bfloat16
        assert found.is_contiguous(memory_format=torch.channels_last)
        found.relu_()  # memory of its own


class Returning(nn.Module):
    """A value, indices, a mask, a number and a value of another width."""

    def forward(self, x):
        return x, x.argsort(-1), x > 0, x.sum(), torch.cat([x, -x], 1)


def test_each_tensor_of_an_output_has_statistics_of_its_own():
    model, reference = nn.Sequential(OrderedDict(whole=Returning())), torch.randn(6, 3)
    x = torch.randn(2, 3)
    plain = model(x)
    for removal in ("mean", "resample"):
        intervention = removing("whole", removal)
        with cut(model, intervention, references=referred(model, [intervention], reference)):
            values, indices, mask, total, wide = model(x)
        assert torch.equal(indices, plain[1])
        assert torch.equal(mask, plain[2])
        assert torch.equal(total, plain[3])
        if removal == "mean":
            torch.testing.assert_close(values, reference.mean(0).expand(2, 3))
            torch.testing.assert_close(wide, torch.cat([reference, -reference], 1).mean(0).expand(2, 6))
        else:
            assert all(any(torch.equal(one, other) for other in reference) for one in values)
            assert torch.equal(wide[:, :3], -wide[:, 3:])


class Branching(nn.Module):
    """What it calls depends on what it is given; its shared layer is called in two widths."""

    def __init__(self):
        super().__init__()
        self.usual, self.unusual, self.shared = nn.Linear(3, 3), nn.Linear(3, 3), nn.ReLU()

    def forward(self, x):
        x = self.shared(torch.cat([self.shared(x), x], 1))[:, :3]
        return self.unusual(x) if x.sum() > 100 else self.usual(x)


@pytest.mark.parametrize("removal", ["mean", "resample"])
@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda removal: removing("unusual", removal), "unusual"),
        (lambda removal: NeuronIntervention(path="unusual", units=[0, 1], removal=removal), "unusual[0:2]"),
        (
            lambda removal: HeadIntervention(path="att", projection="unusual", heads=[1], width=1, removal=removal),
            "att/1",
        ),
    ],
)
def test_a_site_that_the_reference_never_reaches_is_refused_by_its_name(make, name, removal):
    model, intervention = Branching(), make(removal)
    references = referred(model, [intervention], torch.randn(4, 3))
    with cut(model, intervention, references=references), pytest.raises(Refused) as refusal:
        model(torch.full((2, 3), 99.0))
    assert str(refusal.value).startswith(f"{removal} of {name}: the reference split never reached it, so there is no ")


@pytest.mark.parametrize("removal", ["mean", "resample"])
def test_without_a_reference_there_is_nothing_to_take_it_from(removal):
    model = Branching()
    before = trace(model)
    with (
        pytest.raises(Refused, match=f"{removal} of usual: there is nothing to take it from"),
        cut(model, removing("shared", "zero"), removing("usual", removal)),
    ):
        pass
    assert trace(model) == before


def test_a_module_that_is_called_in_two_widths_has_a_mean_for_each():
    model, intervention, reference = Branching(), removing("shared", "mean"), torch.randn(20, 3)
    references = referred(model, [intervention], reference)
    with cut(model, intervention, references=references):
        narrow = model.shared(torch.zeros(2, 3))
        wide = model.shared(torch.zeros(2, 6))
    torch.testing.assert_close(narrow, reference.relu().mean(0).expand(2, 3))
    torch.testing.assert_close(wide, torch.cat([reference.relu()] * 2, 1).mean(0).expand(2, 6))


def test_sites_are_told_apart_by_dimension_and_part():
    model, reference = passing(), torch.randn(8, 4, 4)
    interventions = [
        removing("0", "mean"),
        removing("0", "mean", dim=1),
        NeuronIntervention(path="0", units=[1], dim=1, removal="mean"),
    ]
    references = referred(model, interventions, reference)
    x = torch.zeros(2, 4, 4)
    found = []
    for one in interventions:
        with cut(model, one, references=references):
            found.append(model(x)[0])
    torch.testing.assert_close(found[0], reference.mean((0, 1)).expand(4, 4))
    torch.testing.assert_close(found[1], reference.mean((0, 2))[:, None].expand(4, 4))
    torch.testing.assert_close(found[2][1], reference.mean((0, 2))[1].expand(4))
    assert torch.count_nonzero(found[2][[0, 2, 3]]) == 0


def test_watching_changes_no_bit_and_leaves_nothing():
    torch.manual_seed(0)
    model, x = Decoder().eval(), torch.randint(11, (2, 5))
    interventions = [
        removing("blocks.0", "mean"),
        removing("blocks.0", "resample"),
        NeuronIntervention(path="blocks.0.mlp.0", units=[0], removal="mean"),
        HeadIntervention(
            path="blocks.1.attention", projection="blocks.1.attention.c_proj", heads=[2], width=4, removal="resample"
        ),
    ]
    before, plain = trace(model), model(x)["logits"]
    watchers, references = watch(model, [one.model_dump() for one in interventions])
    assert torch.equal(model(x)["logits"], plain)
    for one in reversed(watchers):
        one.undo()
    assert trace(model) == before
    assert len(references) == 3


def test_no_more_examples_are_kept_than_are_drawn_from():
    statistics = Statistics(-1, keep=True)
    for start in range(0, 200, 50):
        statistics.take(torch.arange(start, start + 50.0).view(50, 1), 0)
    like = torch.zeros(4000, 1)
    drawn = statistics.draw(like, 0, torch.Generator().manual_seed(0))
    assert set(drawn.flatten().tolist()) == {float(one) for one in range(EXAMPLES_KEPT)}
    assert statistics.mean(like, 0)[0].item() == 99.5


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=4),
    st.lists(st.integers(1, 4), min_size=2, max_size=4),
    st.integers(-4, 3),
    st.data(),
)
@settings(max_examples=80, deadline=None)
def test_the_mean_is_numpys_over_all_other_dimensions(sizes, shape, dim, data):
    """Whatever the batches, the shape and the dimension that counts features; one that is not there is the last."""
    dim = dim if -len(shape) - 1 <= dim < len(shape) + 1 else -1
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 9)))
    batches = [torch.randn(size, *shape, generator=generator) for size in sizes]
    statistics = Statistics(dim, keep=True)
    for batch in batches:
        statistics.take(batch, 0)
    if dim % (len(shape) + 1) == 0 and len(set(sizes)) > 1:
        return  # features where examples are: each batch has its own
    whole = np.concatenate(
        [np.moveaxis(batch.double().numpy(), dim, -1).reshape(-1, batch.shape[dim]) for batch in batches]
    )
    like = torch.zeros(sizes[-1], *shape)
    found = statistics.mean(like, 0)
    expected = np.moveaxis(np.broadcast_to(whole.mean(0), np.moveaxis(like.numpy(), dim, -1).shape), -1, dim)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-6)
    assert statistics.draw(like, 0, generator).shape == like.shape
