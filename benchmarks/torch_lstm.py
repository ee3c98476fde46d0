"""PyTorch twin of CNN and LSTM: EmoJAX's parameters, and the same logits or it stops."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
import worker
from torch import nn

RATE = 1e-3


class Twin(nn.Module):
    """Two convolutions, a bidirectional LSTM, two dense layers and a last one; no masks."""

    def __init__(self, exported) -> None:
        super().__init__()
        params = {
            name.partition("/")[2]: torch.from_numpy(exported[name])
            for name in exported.files
            if "/" in name
        }
        self.stride, self.pool = int(exported["stride"]), int(exported["pool"])
        self.convs = nn.ModuleList(_conv(params, f"conv{n}", (self.stride, 1)[n]) for n in (0, 1))
        self.lstm = _lstm(params)
        self.dense = nn.ModuleList(
            _dense(params, name) for name in ("dense0", "dense1", "head_logits")
        )
        self.drop = nn.Dropout(0.5)

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        """Map waveforms [B, T] to logits [B, K]."""
        variance, mean = torch.var_mean(audio, 1, correction=0, keepdim=True)
        x = ((audio - mean) * torch.rsqrt(variance + 1e-10))[:, None]
        for conv in self.convs:
            size = conv.kernel_size[0]
            left = (size - 1) // 2
            x = F.relu(conv(F.pad(x, (left, size - 1 - left))))
            x = self.drop(F.max_pool1d(x, self.pool, ceil_mode=True))
        outputs, _ = self.lstm(x.transpose(1, 2))
        units = self.lstm.hidden_size
        x = torch.cat([outputs[:, -1, :units], outputs[:, 0, units:]], dim=1)
        for number, dense in enumerate(self.dense):
            x = dense(x)
            x = self.drop(torch.tanh(x)) if number < 2 else x
        return x


def _conv(params: dict, name: str, stride: int) -> nn.Conv1d:
    kernel = params[f"{name}.kernel"]
    conv = nn.Conv1d(kernel.shape[1], kernel.shape[2], kernel.shape[0], stride)
    return _filled(conv, weight=kernel.permute(2, 1, 0), bias=params[f"{name}.bias"])


def _dense(params: dict, name: str) -> nn.Linear:
    kernel = params[f"{name}.kernel"]
    dense = nn.Linear(*kernel.shape)
    return _filled(dense, weight=kernel.T, bias=params[f"{name}.bias"])


def _lstm(params: dict) -> nn.LSTM:
    channels, gates = params["lstm_forward.input_kernel"].shape
    lstm, arrays = nn.LSTM(channels, gates // 4, batch_first=True, bidirectional=True), {}
    for name, end in (("lstm_forward", "l0"), ("lstm_backward", "l0_reverse")):
        arrays[f"weight_ih_{end}"] = params[f"{name}.input_kernel"].T
        arrays[f"weight_hh_{end}"] = params[f"{name}.recurrent_kernel"].T
        arrays[f"bias_ih_{end}"] = params[f"{name}.bias"]
        arrays[f"bias_hh_{end}"] = torch.zeros(gates)
    return _filled(lstm, **arrays)


def _filled(module: nn.Module, **arrays: torch.Tensor):
    with torch.no_grad():
        for name, array in arrays.items():
            getattr(module, name).copy_(array)
    return module


def make_step(module: nn.Module, x: torch.Tensor, alone: bool):
    """Make a step of SGD on the cross-entropy of label 0, or on the mean of all outputs."""
    optimizer = torch.optim.SGD(module.parameters(), lr=RATE)
    label = torch.zeros(len(x), dtype=torch.long)
    module.train()

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        loss = module(x)[0].mean() if alone else F.cross_entropy(module(x), label)
        loss.backward()
        optimizer.step()

    return step


def main() -> None:
    """Serve training steps or forward passes."""
    settings = worker.settings()
    exported = np.load(settings["exported"])
    twin = Twin(exported).eval()
    audio = torch.from_numpy(exported["audio"])
    with torch.inference_mode():
        worker.check_logits(twin(audio).numpy(), exported["logits"])
    alone = settings["part"] == "lstm"
    module, x = (twin.lstm, torch.from_numpy(exported["steps"])) if alone else (twin, audio)
    forward = torch.inference_mode()(lambda: module(x))
    call = make_step(module, x, alone) if settings["job"] == "training" else forward

    def turn() -> int:
        call()
        return 1

    worker.serve(turn, lambda: {"version": f"torch {torch.__version__}"})


if __name__ == "__main__":
    main()
