"""The same network in a plain PyTorch loop, without a DataLoader: FILE.npz EPOCHS RESULT.json.

The seconds are those of an epoch after the first.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

with np.load(sys.argv[1]) as archive:
    x = torch.tensor(archive["x"].reshape(-1, 784)).float() / 255
    y = torch.tensor(archive["y"]).long()
epochs = int(sys.argv[2])

torch.manual_seed(0)
model = nn.Sequential(
    nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 2)
)
optimizer = torch.optim.Adam(model.parameters())
loss_function = nn.CrossEntropyLoss()
ends = []
for _ in range(epochs):
    order = torch.randperm(len(x))
    for start in range(0, len(x), 32):
        at = order[start : start + 32]
        optimizer.zero_grad()
        loss_function(model(x[at]), y[at]).backward()
        optimizer.step()
    ends.append(time.perf_counter())
seconds = (ends[-1] - ends[0]) / (epochs - 1)

with torch.no_grad():
    accuracy = (model(x).argmax(dim=1) == y).float().mean()
Path(sys.argv[3]).write_text(json.dumps({"seconds": seconds, "accuracy": float(accuracy)}))
