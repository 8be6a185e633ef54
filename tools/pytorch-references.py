#!/usr/bin/env python3
"""Writes test/references/pytorch-*.json: what PyTorch makes of random combinations of the losses' options.

    apt-get install python3-torch    # Debian 12: PyTorch 1.13
    /usr/bin/python3 tools/pytorch-references.py

A case holds options, a seed for its inputs and PyTorch's results. The inputs are drawn by both sides, here and in
test/helpers/pytorch.ts, by the same generator in the same order. Inputs of float32 cases are rounded to float32;
PyTorch computes in float64 throughout, so that a result is that of those very inputs, to a few roundings of 2^-53.

Nothing here depends on the time, on threads or on PyTorch's own random numbers. Another PyTorch, or its code for
another CPU, may change last bits.
"""

import base64
import json
import math
import pathlib
import random
import subprocess
import sys

import torch
import torch.nn.functional as F

sys.dont_write_bytecode = True
from pytorch_inputs import Inputs, class_axis_second, rows_of

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "test" / "references"

torch.set_num_threads(1)


def shape_of(draw, many):
    """(C), (N, C) or (N, C, d1, ...), its class axis anywhere, and no more than `many` elements."""
    while True:
        axes = draw.choice([1, 2, 2, 2, 3, 3, 4])
        axis = draw.choice([1 if axes > 1 else 0, draw.randrange(axes)])
        classes = draw.choice([1, 2, 3, 4, 5, 7, 10, 17, 33, 64])
        shape = [draw.randint(1, 5) for _ in range(axes)]
        shape[axis] = classes
        if axes > 1 and draw.random() < 0.03:
            shape[0 if axis != 0 else 1] = 0
        if math.prod(shape) <= many:
            return shape, axis


def scaling_of(draw, case):
    kind = draw.choice(["none", "none", "number", "rows"])
    if kind == "number":
        case["temperature"] = draw.choice([0.5, 0.7, 1.5, 4.0])
    if kind == "rows":
        case["temperature"] = "rows"
    if draw.random() < 0.3:
        case["scale"] = draw.choice([0.125, 0.7, -0.5, 1.1])


def new_case(draw, number, many=100):
    dtype = "float32" if number % 2 == 0 else "float64"
    shape, axis = shape_of(draw, many)
    # With the factors above, gaps of 20 at most. Beyond, PyTorch itself loses p - 1 and log p of the likely class.
    return {"seed": number + 1, "dtype": dtype, "shape": shape, "axis": axis, "spread": draw.choice([1, 2, 4])}


def reduction_of(draw, case):
    case["reduction"] = draw.choice(["mean", "sum", "none"])
    if draw.random() < 0.5:
        case["gradOutput"] = "rows" if case["reduction"] == "none" else draw.choice([-1.5, 0.1, 3.0])


def index_options(draw, case):
    """Ignored rows; sometimes nothing else."""
    chosen = draw.random()
    classes = case["shape"][case["axis"]]
    if chosen < 0.5:
        case["ignoreIndex"] = draw.choice([-100, -1, 255, draw.randrange(classes)])
    if chosen < 0.04:
        case["allIgnored"] = True


def cross_entropy_case(draw, number):
    case = new_case(draw, number)
    case["target"] = draw.choice(["indices", "indices", "probabilities"])
    if case["target"] == "indices":
        index_options(draw, case)
    elif draw.random() < 0.5:
        case["sumToOne"] = True
    if draw.random() < 0.4:
        case["weight"] = True
    if draw.random() < 0.4:
        case["labelSmoothing"] = draw.choice([0.01, 0.1, 0.3, 1.0])
    scaling_of(draw, case)
    reduction_of(draw, case)
    if "allIgnored" in case and draw.random() < 0.5:
        case["emptyMean"] = "zero"
    is_plain = case["target"] == "indices" and "labelSmoothing" not in case
    chosen = draw.random()
    if chosen < 0.12:
        case["mask"] = "classes"
    elif chosen < 0.3 and is_plain:
        case["mask"] = "elements"
    # By a negative scale it would be Infinity, and the row NaN.
    if draw.random() < 0.12 and "allIgnored" not in case and case.get("scale", 1.0) > 0:
        case["infinite"] = True
    # Then the loss of such a row is infinite, its gradient not.
    if is_plain and ("infinite" in case or case.get("mask") == "elements") and draw.random() < 0.2:
        case["dropsTargets"] = True
    return case


def base64_of(tensor):
    return base64.b64encode(tensor.detach().to(torch.float64).contiguous().numpy().astype("<f8").tobytes()).decode()


def with_results(case, loss, logits, grad_output):
    """The loss, its gradient, and nothing undefined among them but the mean over nothing."""
    loss.backward(grad_output)
    grad = logits.grad
    assert not torch.isnan(grad).any(), case
    return {**case, "loss": base64_of(loss), "grad": base64_of(grad)}


def class_options(case, inputs):
    """What F.cross_entropy and F.nll_loss are given beside the first argument."""
    options = {"reduction": case["reduction"], "weight": inputs.weight}
    if case["target"] == "indices":
        options["ignore_index"] = case.get("ignoreIndex", -100)
    return options


def kept_classes(case, inputs, logits):
    """Where a mask drops whole classes, the loss is that of the problem without them."""
    keep = inputs.class_mask.nonzero().flatten()
    logits = logits.index_select(case["axis"], keep)
    weight = None if inputs.weight is None else inputs.weight[keep]
    if case["target"] == "probabilities":
        return logits, inputs.target.index_select(case["axis"], keep), weight
    # An ignored class may have the number of another one now: -100 stands for it.
    numbers = {int(c): i for i, c in enumerate(keep)} | {case.get("ignoreIndex", -100): -100}
    target = torch.tensor([numbers[y] for y in inputs.target.flatten().tolist()], dtype=torch.int64)
    return logits, target.reshape(inputs.target.shape), weight


def cross_entropy_of(case, inputs, logits):
    options = class_options(case, inputs)
    target = inputs.target
    if inputs.class_mask is not None:
        logits, target, options["weight"] = kept_classes(case, inputs, logits)
        if case["target"] == "indices":
            options["ignore_index"] = -100
    if inputs.element_mask is not None:
        logits = logits.masked_fill(inputs.element_mask == 0, -torch.inf)
    if case["target"] == "probabilities":
        target = class_axis_second(target, case["axis"])
    smoothing = case.get("labelSmoothing", 0.0)
    return F.cross_entropy(class_axis_second(logits, case["axis"]), target, label_smoothing=smoothing, **options)


def cross_entropy(case):
    inputs = Inputs(case)
    return with_results(case, cross_entropy_of(case, inputs, inputs.scaled), inputs.logits, inputs.grad_output)


def is_defined(case):
    """Weights of the rows kept that sum to 0 make the mean 0 / 0, and its gradient too."""
    if case["target"] != "indices" or "weight" not in case or "allIgnored" in case:
        return True
    inputs = Inputs(case)
    kept = inputs.target[inputs.target != case.get("ignoreIndex", -100)]
    return len(kept) == 0 or float(inputs.weight[kept].sum()) > 0


def nll_case(draw, number):
    case = new_case(draw, number)
    case["target"] = "indices"
    index_options(draw, case)
    if draw.random() < 0.5:
        case["weight"] = True
    reduction_of(draw, case)
    return case


def nll_loss(case):
    inputs = Inputs(case)
    loss = F.nll_loss(class_axis_second(inputs.logits, case["axis"]), inputs.target, **class_options(case, inputs))
    return with_results(case, loss, inputs.logits, inputs.grad_output)


def distillation_case(draw, number):
    case = new_case(draw, number)
    case["teacher"] = True
    scaling_of(draw, case)
    if draw.random() < 0.6:
        case["target"] = draw.choice(["indices", "probabilities"])
        case["alpha"] = draw.choice([0.1, 0.5, 0.9])
        if case["target"] == "indices":
            index_options(draw, case)
        if draw.random() < 0.4:
            case["weight"] = True
        if draw.random() < 0.4:
            case["labelSmoothing"] = draw.choice([0.1, 0.3])
    case.pop("allIgnored", None)
    if draw.random() < 0.2:
        case["mask"] = "classes"
    reduction_of(draw, case)
    return case


def distillation(case):
    """alpha tau^2 KL(teacher || student) + (1 - alpha) cross-entropy of the student at temperature 1, of rows that count."""
    inputs = Inputs(case)
    axis, scale, tau = case["axis"], case.get("scale", 1.0), inputs.temperature
    student, teacher = inputs.scaled, inputs.teacher * scale / tau
    if inputs.class_mask is not None:
        keep = inputs.class_mask.nonzero().flatten()
        student, teacher = student.index_select(axis, keep), teacher.index_select(axis, keep)
    loss = F.kl_div(F.log_softmax(student, dim=axis), F.softmax(teacher, dim=axis), reduction="none")
    loss = (loss * tau**2).sum(dim=axis)
    rows = rows_of(case)
    if case.get("target") == "indices":
        counts = (inputs.target != case.get("ignoreIndex", -100)).reshape(loss.shape)
        loss = torch.where(counts, loss, torch.zeros_like(loss))
        rows = counts.sum()
    if case["reduction"] == "mean":
        loss = loss.sum() / rows
    if case["reduction"] == "sum":
        loss = loss.sum()
    loss = case.get("alpha", 1.0) * loss
    if "target" in case:
        loss = loss + (1 - case["alpha"]) * cross_entropy_of(case, inputs, inputs.logits * scale)
    return with_results(case, loss, inputs.logits, inputs.grad_output)


def forward_case(draw, number):
    case = new_case(draw, number, 60)
    case["operator"] = draw.choice(["softmax", "logSoftmax"])
    if draw.random() < 0.3:
        case["mask"] = "elements"
    scaling_of(draw, case)
    return case


def forward(case):
    """The output, and the gradient of its product with the incoming one."""
    inputs = Inputs(case)
    function = F.softmax if case["operator"] == "softmax" else F.log_softmax
    logits, incoming = inputs.scaled, inputs.incoming
    if inputs.element_mask is not None:
        # What is dropped takes no part, its incoming gradient neither.
        logits = logits.masked_fill(inputs.element_mask == 0, -torch.inf)
        incoming = incoming * inputs.element_mask
    output = function(logits, dim=case["axis"])
    output.backward(incoming)
    return {**case, "output": base64_of(output), "grad": base64_of(inputs.logits.grad)}


def write(name, seed, count, make_case, results):
    draw = random.Random(seed)
    cases = []
    for number in range(count):
        case = make_case(draw, number)
        while not is_defined({"target": None, **case}):
            case = make_case(draw, number)
        cases.append(results(case))
    path = OUT / name
    path.write_text(json.dumps({"pytorch": torch.__version__, "cases": cases}))
    # One layout for every file of the repository.
    subprocess.run(["npx", "biome", "format", "--write", str(path)], cwd=ROOT, check=True)
    print(f"{name}: {count} cases, {path.stat().st_size} bytes")


OUT.mkdir(exist_ok=True)
write("pytorch-cross-entropy.json", 1, 720, cross_entropy_case, cross_entropy)
write("pytorch-nll-loss.json", 2, 40, nll_case, nll_loss)
write("pytorch-distillation.json", 3, 60, distillation_case, distillation)
write("pytorch-softmax.json", 4, 60, forward_case, forward)
