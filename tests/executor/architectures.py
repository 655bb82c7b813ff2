"""Tiny models of known anatomy, and what an anatomist finds in them."""

import math

import torch
import torch.nn.functional as F
from lesion.executor.inside.anatomy import Anatomist
from torch import nn


def watched(model, *inputs, train=False, **keywords):
    """An anatomist who has seen one evaluation, after one training forward where `train`."""
    anatomist = Anatomist(model)
    with anatomist.watching():
        if train:
            model.train()
            model(*inputs, **keywords)
        model.eval()
        with torch.no_grad():
            model(*inputs, **keywords)
    return anatomist


class PackedAttention(nn.Module):
    """Queries, keys and values from one layer, as nanoGPT has it; fused or written by hand."""

    def __init__(self, width=12, heads=3, fused=True):
        super().__init__()
        self.heads, self.fused = heads, fused
        self.c_attn, self.c_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.attn_dropout, self.resid_dropout = nn.Dropout(0.1), nn.Dropout(0.1)

    def forward(self, x):
        batch, tokens, width = x.shape
        split = (part.view(batch, tokens, self.heads, -1).transpose(1, 2) for part in self.c_attn(x).split(width, -1))
        q, k, v = split
        if self.fused:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            scores = (q @ k.transpose(-2, -1)) / math.sqrt(k.size(-1))
            scores = scores.masked_fill(torch.ones(tokens, tokens).tril() == 0, -math.inf)
            y = self.attn_dropout(F.softmax(scores, dim=-1)) @ v
        return self.resid_dropout(self.c_proj(y.transpose(1, 2).contiguous().view(batch, tokens, width)))


class Block(nn.Module):
    """Attention and a two-layer network, each added to the stream."""

    def __init__(self, attention, width=12):
        super().__init__()
        self.before, self.attention = nn.LayerNorm(width), attention
        self.between, self.mlp = (
            nn.LayerNorm(width),
            nn.Sequential(nn.Linear(width, 24), nn.GELU(), nn.Linear(24, width)),
        )

    def forward(self, x):
        x = x + self.attention(self.before(x))
        return x + self.mlp(self.between(x))


class Decoder(nn.Module):
    """A small language model with tied weights and a bare positional embedding."""

    def __init__(self, attention=PackedAttention, width=12, layers=2, **options):
        super().__init__()
        self.embedding = nn.Embedding(11, width)
        self.position = nn.Parameter(torch.randn(1, 7, width))
        self.blocks = nn.ModuleList(Block(attention(width, **options), width) for _ in range(layers))
        self.head = nn.Linear(width, 11, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, tokens):
        x = self.embedding(tokens) + self.position[:, : tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        return {"logits": self.head(x)}


class ResidualConvolution(nn.Module):
    """A basic ResNet block, with a projected shortcut where it changes the width."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        projected = nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))
        self.downsample = projected if inputs != outputs else None

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True))
        self.layer1, self.layer2 = ResidualConvolution(4, 4), ResidualConvolution(4, 6)
        self.pool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(6, 5)

    def forward(self, images):
        return self.fc(self.pool(self.layer2(self.layer1(self.stem(images)))).flatten(1))


class ShiftedWindows(nn.Module):
    """A channels-last stage, as Swin's."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 2, stride=2)
        self.norm, self.mlp = nn.LayerNorm(8), nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8))

    def forward(self, images):
        x = self.patches(images).permute(0, 2, 3, 1)
        return x + self.mlp(self.norm(x))
