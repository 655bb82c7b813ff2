"""Continuing a random sequence that repeats: a transformer of two attention layers that has to learn to look back.

A sequence is random tokens whose last stretch, the block, stands there twice. The second time every token but the first
can be known: find the earlier occurrence of the current token, and copy what followed it. The circuit for this is known
(Olsson et al. 2022, In-context Learning and Induction Heads): a head of the first layer writes into every position which
token came before it, and induction heads of the second layer search for that.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

# far from the seeds of training, so that no split is drawn from a stream that some run was trained on
SPLIT_SEEDS = {"validation": 1_000_001, "test": 1_000_002, "reference": 1_000_003}
FINETUNE_SEEDS = 2_000_000


def draw(config, count, generator):
    """Tokens [count, length], and which of them can be known [count, length]: the second block without its first token."""
    length, vocabulary = config["length"], config["vocabulary"]
    # the distance to look back differs between sequences, so no head can solve the task by position
    block = torch.randint(config["shortest_block"], config["longest_block"] + 1, (count, 1), generator=generator)
    position = torch.arange(length).expand(count, -1)
    source = torch.where(position >= length - block, position - block, position)
    # no token occurs twice before the repetition, so there is one place to look
    tokens = torch.rand(count, vocabulary, generator=generator).argsort(1).gather(1, source)
    return tokens.to(config["device"]), (position > length - block).to(config["device"])


def rotate(x):
    """Rotary positions: the product of a rotated query and a rotated key depends on their distance."""
    length, width = x.shape[-2:]
    frequency = 100.0 ** (-torch.arange(0, width, 2, device=x.device) / width)
    angle = torch.arange(length, device=x.device)[:, None] * frequency
    even, odd = x[..., ::2], x[..., 1::2]
    return torch.cat([even * angle.cos() - odd * angle.sin(), even * angle.sin() + odd * angle.cos()], -1)


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.num_heads = heads
        # the biases let a head attend by distance alone, whatever the tokens
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width, bias=False)
        self.proj = nn.Linear(width, width, bias=False)
        # above the default: heads that differ from the start find the circuit sooner, within some 400 steps
        nn.init.normal_(self.query.weight, std=0.1)
        nn.init.normal_(self.key.weight, std=0.1)

    def forward(self, x):
        query, key, value = (
            layer(x).unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )
        out = F.scaled_dot_product_attention(rotate(query), rotate(key), value, is_causal=True)
        return self.proj(out.transpose(1, 2).flatten(2))


class Transformer(nn.Module):
    """Attention only. Positions enter through queries and keys, so a value says which token, never where."""

    def __init__(self, config):
        super().__init__()
        width, layers = config["width"], config["layers"]
        self.embedding = nn.Embedding(config["vocabulary"], width)
        nn.init.normal_(self.embedding.weight, std=0.3)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(layers))
        self.attention = nn.ModuleList(Attention(width, config["heads"]) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.unembedding = nn.Linear(width, config["vocabulary"], bias=False)

    def forward(self, tokens):
        x = self.embedding(tokens)
        for norm, attention in zip(self.norms, self.attention, strict=True):
            x = x + attention(norm(x))
        return self.unembedding(self.norm(x))


def build_model(config):
    return Transformer(config).to(config["device"])


def fit(model, config, steps, learning_rate, seed):
    """Adam on fresh sequences in every step, with warm-up and a cosine."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=learning_rate, betas=(0.9, 0.98), weight_decay=config["weight_decay"]
    )
    warmup = config["warmup"] * steps
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1, (step + 1) / max(warmup, 1)) * (0.5 + 0.5 * math.cos(math.pi * step / steps))
    )
    model.train()
    for _ in range(steps):
        tokens, known = draw(config, config["batch_size"], generator)
        logits, targets = model(tokens[:, :-1])[known[:, 1:]], tokens[known]
        loss = F.cross_entropy(logits, targets, label_smoothing=config["label_smoothing"])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()


def train(model, config, seed):
    fit(model, config, config["steps"], config["learning_rate"], seed)


def finetune(model, config, seed, steps):
    fit(model, config, steps, config["finetune_learning_rate"], FINETUNE_SEEDS + seed)


def batches(config, split):
    """The same sequences in every run: pairs of tokens and which of them can be known."""
    generator = torch.Generator().manual_seed(SPLIT_SEEDS[split])
    sizes = [config["batch_size"]] * (config["examples"] // config["batch_size"])
    return [draw(config, size, generator) for size in sizes]


@torch.no_grad()
def score(model, batch):
    """Cross-entropy and accuracy of every sequence, each the mean over the tokens that can be known."""
    model.eval()
    tokens, known = batch
    logits, targets, weight = model(tokens[:, :-1]), tokens[:, 1:], known[:, 1:] / known.sum(1, keepdim=True)
    loss = F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
    return {"loss": (loss * weight).sum(1), "accuracy": ((logits.argmax(-1) == targets) * weight).sum(1)}


def evaluate(model, config, split="validation"):
    scores = [score(model, batch) for batch in batches(config, split)]
    examples = {metric: torch.cat([one[metric] for one in scores]) for metric in ("loss", "accuracy")}
    means = {metric: values.mean().item() for metric, values in examples.items()}
    return {**means, "examples": {metric: values.tolist() for metric, values in examples.items()}}
