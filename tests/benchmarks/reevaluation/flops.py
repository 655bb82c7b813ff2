"""What an ideal cache of the prefix could save on a model of GPT-2's shape: the bound beside every measurement.

Multiplications of matrices only, for one token (all scale with tokens alike): a layer of width d over T tokens takes 3d²
(queries, keys, values) and 2Td (attention) before the input of its output projection, and d² + 8d² after it; the
unembedding takes Vd. Norms, activations and the loss are left out, as is all overhead: what is measured is less.
"""

from collections.abc import Sequence

Config = dict[str, int]
Heads = tuple[tuple[int, int], ...]
"""Layer and place of each head of a set, by layer."""


def whole(config: Config) -> int:
    """The whole forward pass."""
    return config["layers"] * (_before(config) + _after(config)) + _unembedding(config)


def from_layer(config: Config, layer: int) -> int:
    """What is left once everything before a layer's output projection is known."""
    deeper = config["layers"] - 1 - layer
    return _after(config) + deeper * (_before(config) + _after(config)) + _unembedding(config)


def bound(config: Config, sets: Sequence[Heads]) -> float:
    """The hand-written loop's work over that of an ideal cache.

    The cache passes through every stretch once: the intact model up to the deepest of all first heads, from each set's
    deepest head to the end, and what lies between, with the heads before already removed, once for all sets that share it.
    """
    start = whole(config)
    known: dict[Heads, int] = {}
    for heads in map(_by_layer, sets):
        for depth, (layer, _) in enumerate(heads):
            before = heads[:depth]
            known[before] = max(known.get(before, 0), layer)
    ends = sum(from_layer(config, _by_layer(heads)[-1][0]) for heads in sets)
    stretches = sum(
        (from_layer(config, before[-1][0]) if before else start) - from_layer(config, layer)
        for before, layer in known.items()
    )
    return len(sets) * start / (ends + stretches)


def _by_layer(heads: Heads) -> Heads:
    return tuple(sorted(heads))


def _before(config: Config) -> int:
    return 3 * config["width"] ** 2 + 2 * config["tokens"] * config["width"]


def _after(config: Config) -> int:
    return 9 * config["width"] ** 2


def _unembedding(config: Config) -> int:
    return config["vocabulary"] * config["width"]
