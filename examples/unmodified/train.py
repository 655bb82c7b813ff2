# Digits, a row of pixels a token.
#   python train.py --epochs 30
#   python train.py --test runs/last.pt
import argparse
import os
import random

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

DIM = 32
HEADS = 4
LAYERS = 2
BATCH_SIZE = 64
WEIGHT_DECAY = 1e-2
AUX_WEIGHT = 0.3
LABEL_SMOOTHING = 0.05
GRAD_CLIP = 1.0
EMA_DECAY = 0.99  # not used any more

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=30)
parser.add_argument("--lr", type=float, default=3e-3)
parser.add_argument("--dropout", type=float, default=0.1)
parser.add_argument("--warmup", type=int, default=40, help="steps")
parser.add_argument("--no-shift", action="store_true", help="train on the images as they are")
parser.add_argument("--mixup", type=float, default=0.2)
parser.add_argument("--device", default="cuda")
parser.add_argument("--test", metavar="CHECKPOINT")
parser.add_argument("--save", default="runs/last.pt")
args = parser.parse_args()
args.mixup = 0.0  # worse with it, see notes

torch.manual_seed(1337)
random.seed(1337)

digits = load_digits()
x = torch.tensor(digits.images, dtype=torch.float32, device=args.device) / 16
y = torch.tensor(digits.target, device=args.device)
split = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
x_train, y_train = x[split[:1200]], y[split[:1200]]
x_val, y_val = x[split[1200:]], y[split[1200:]]


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1 = nn.LayerNorm(DIM)
        self.attn = nn.MultiheadAttention(DIM, HEADS, batch_first=True)
        self.norm2 = nn.LayerNorm(DIM)
        self.mlp = nn.Sequential(nn.Linear(DIM, 2 * DIM), nn.GELU(), nn.Linear(2 * DIM, DIM))
        self.drop = nn.Dropout(args.dropout)

    def forward(self, h):
        a = self.norm1(h)
        h = h + self.drop(self.attn(a, a, a, need_weights=False)[0])
        h = h + self.drop(self.mlp(self.norm2(h)))
        return h


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(8, DIM)
        self.pos = nn.Parameter(torch.randn(8, DIM) * 0.02)
        self.blocks = nn.ModuleList([Block() for _ in range(LAYERS)])
        self.norm = nn.LayerNorm(DIM)
        self.head = nn.Linear(DIM, 10)
        self.ink = nn.Linear(DIM, 1)

    def forward(self, images):
        h = self.embed(images) + self.pos
        for block in self.blocks:
            h = block(h)
        h = self.norm(h).mean(1)
        return self.head(h), self.ink(h).squeeze(1)


def shift(images):
    return torch.roll(images, (random.randint(-1, 1), random.randint(-1, 1)), dims=(1, 2))


@torch.no_grad()
def test(model):
    model.eval()
    out, _ = model(x_val)
    loss = F.cross_entropy(out, y_val).item()
    acc = (out.argmax(1) == y_val).float().mean().item()
    return loss, acc


model = Net().to(args.device)
if args.test:
    model.load_state_dict(torch.load(args.test, map_location=args.device))
    loss, acc = test(model)
    print(f"val loss {loss:.4f} | val acc {100 * acc:.2f}%")
    raise SystemExit

opt = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=WEIGHT_DECAY)
step = 0
for epoch in range(1, args.epochs + 1):
    model.train()
    order = torch.randperm(len(x_train))
    for i in range(0, len(x_train), BATCH_SIZE):
        images, labels = x_train[order[i : i + BATCH_SIZE]], y_train[order[i : i + BATCH_SIZE]]
        if not args.no_shift:
            images = shift(images)
        for group in opt.param_groups:
            group["lr"] = args.lr * min(1.0, (step + 1) / max(1, args.warmup))
        out, ink = model(images)
        loss = F.cross_entropy(out, labels, label_smoothing=LABEL_SMOOTHING)
        loss = loss + AUX_WEIGHT * F.mse_loss(ink, images.mean((1, 2)))
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), GRAD_CLIP)
        opt.step()
        step += 1
    val_loss, val_acc = test(model)
    print(f"epoch {epoch:3d} | train loss {loss.item():.4f} | val loss {val_loss:.4f} | val acc {100 * val_acc:.2f}%")

os.makedirs(os.path.dirname(args.save), exist_ok=True)
torch.save(model.state_dict(), args.save)
