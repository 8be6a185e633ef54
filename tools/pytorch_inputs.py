"""The inputs of a case for PyTorch: drawn as test/helpers/pytorch.ts draws them."""

import math
import struct

import torch

MASK = 0xFFFFFFFF


class Random:
    """sfc32, as in test/helpers/random.ts."""

    def __init__(self, seed):
        self.a = self.b = 0
        self.c = seed & MASK
        self.counter = 1
        for _ in range(16):
            self.bits()

    def bits(self):
        total = (self.a + self.b + self.counter) & MASK
        self.counter += 1
        self.a = self.b ^ (self.b >> 9)
        self.b = (self.c + (self.c << 3)) & MASK
        self.c = ((((self.c << 21) & MASK) | (self.c >> 11)) + total) & MASK
        return total

    def uniform(self, low=0.0, high=1.0):
        unit = ((self.bits() >> 5) * 2.0**26 + (self.bits() >> 6)) / 2.0**53
        return low + (high - low) * unit

    def integer(self, bound):
        return math.floor(self.uniform(0, bound))


def float32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def plain_sum(values):
    """One after another: sum() of later Pythons compensates."""
    total = 0.0
    for value in values:
        total += value
    return total


def class_axis_second(tensor, axis):
    """PyTorch's classes are the second axis, or the only one."""
    return tensor.movedim(axis, 1) if tensor.dim() > 1 else tensor


def rows_of(case):
    return math.prod(n for i, n in enumerate(case["shape"]) if i != case["axis"])


class Inputs:
    """Tensors of a case, all float64. `scaled` are the logits by temperature and scale, `logits` what they come from."""

    def __init__(self, case):
        random = Random(case["seed"])
        rounded = float32 if case["dtype"] == "float32" else float
        shape, axis = case["shape"], case["axis"]
        classes, size, rows = shape[axis], math.prod(shape), rows_of(case)
        inner = math.prod(shape[axis + 1 :])
        row_shape = shape[:axis] + shape[axis + 1 :]

        def place(row, c):
            return (row // inner * classes + c) * inner + row % inner

        def tensor(values, dims, dtype=torch.float64):
            return torch.tensor(values, dtype=dtype).reshape(dims)

        spread = case["spread"]
        logits = [rounded(random.uniform(-spread, spread)) for _ in range(size)]
        self.teacher = None
        if "teacher" in case:
            self.teacher = tensor([rounded(random.uniform(-spread, spread)) for _ in range(size)], shape)
        self.incoming = None
        if "operator" in case:
            self.incoming = tensor([rounded(random.uniform(-2, 2)) for _ in range(size)], shape)

        indices = [0] * rows
        self.target = None
        if case.get("target") == "indices":
            ignore_index = case.get("ignoreIndex", -100)
            for row in range(rows):
                indices[row] = random.integer(classes)
                is_ignored = "ignoreIndex" in case and random.uniform() < 0.25
                if is_ignored or "allIgnored" in case:
                    indices[row] = ignore_index
        if case.get("target") == "probabilities":
            target = [0.0] * size
            for row in range(rows):
                drawn = [random.uniform() for _ in range(classes)]
                # Some are 0, but not where a logit may be -Infinity: PyTorch's product of the two is NaN.
                if "infinite" not in case:
                    drawn = [0.0 if t < 0.2 else t for t in drawn]
                total = plain_sum(drawn) if "sumToOne" in case and any(drawn) else 1.0
                for c in range(classes):
                    target[place(row, c)] = rounded(drawn[c] / total)
            self.target = tensor(target, shape)

        self.weight = None
        if "weight" in case:
            weight = [rounded(random.uniform(0.25, 2)) for _ in range(classes)]
            # Not beside -Infinity either.
            if "infinite" not in case and random.uniform() < 0.5:
                weight[random.integer(classes)] = 0.0
            self.weight = tensor(weight, [classes])

        temperature = case.get("temperature", 1.0)
        if temperature == "rows":
            temperature = [random.uniform(0.5, 3) for _ in range(rows)]
            temperature = tensor(temperature, row_shape).unsqueeze(axis)
        self.temperature = temperature
        self.grad_output = None
        given = case.get("gradOutput", 1.0)
        if given == "rows":
            self.grad_output = tensor([rounded(random.uniform(-2, 2)) for _ in range(rows)], row_shape)
        elif case.get("reduction") == "none":
            self.grad_output = torch.full(row_shape, given, dtype=torch.float64)
        else:
            self.grad_output = torch.tensor(given, dtype=torch.float64)

        # Class 0 is always kept, and never -Infinity; nor is the target's, unless the case says so.
        drops_targets = "dropsTargets" in case
        self.class_mask = self.element_mask = None
        if case.get("mask") == "classes":
            keep = [1 if c == 0 or random.uniform() < 0.7 else 0 for c in range(classes)]
            self.class_mask = torch.tensor(keep)
            ignored = case.get("ignoreIndex", -100)
            indices = [y if y == ignored or keep[y] else 0 for y in indices]
        if case.get("mask") == "elements":
            mask = [1] * size
            for row in range(rows):
                for c in range(1, classes):
                    if (drops_targets or c != indices[row]) and random.uniform() < 0.3:
                        mask[place(row, c)] = 0
            self.element_mask = tensor(mask, shape, torch.int64)
        if "infinite" in case:
            for row in range(rows):
                for c in range(1, classes):
                    if (drops_targets or c != indices[row]) and random.uniform() < 0.15:
                        logits[place(row, c)] = -math.inf

        if case.get("target") == "indices":
            self.target = tensor(indices, row_shape, torch.int64)
        self.logits = tensor(logits, shape).requires_grad_()
        self.scaled = self.logits * case.get("scale", 1.0) / temperature
