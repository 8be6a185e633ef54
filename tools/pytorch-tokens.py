#!/usr/bin/env python3
"""Writes test/references/pytorch-tokens.json: what PyTorch, and the processors of Hugging Face transformers, make of logits.

    apt-get install python3-torch    # Debian 12: PyTorch 1.13
    /usr/bin/python3 tools/pytorch-tokens.py

transformers is not in Debian: each of its processors stands here as its class has it, in PyTorch's operations
(pytorch_processors.py). A case holds options, a seed for its inputs and the results; test/helpers/pytorch-tokens.ts draws
the same inputs. All is computed in float64, of inputs rounded to their dtype. Where a decision hangs by less than 1e-5,
another case is drawn.
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
from pytorch_inputs import Random, float32
from pytorch_processors import Margin, processed

ROOT = pathlib.Path(__file__).resolve().parent.parent
PATH = ROOT / "test" / "references" / "pytorch-tokens.json"

torch.set_num_threads(1)


def base64_of(values, dtype):
    return base64.b64encode(torch.as_tensor(values).numpy().astype(dtype).tobytes()).decode()


class Draw:
    """What a case is made of, in the order of test/helpers/pytorch-tokens.ts."""

    def __init__(self, case):
        self.case = case
        self.random = Random(case["seed"])

    def logits(self):
        """[rows, classes]"""
        case, draw = self.case, self.random
        rounded = float32 if case["dtype"] == "float32" else float
        size = case["rows"] * case["classes"]
        values = [rounded(draw.uniform(-case["spread"], case["spread"])) for _ in range(size)]
        if "ties" in case:
            values = [math.floor(value * 4) / 4 for value in values]
        if "odd" in case:
            others = [math.nan, math.inf, -math.inf, 0.0, -0.0, -math.inf]
            for i in range(size):
                if draw.uniform() < case["odd"]:
                    values[i] = others[draw.integer(len(others))]
        if "dropped" in case:
            for i in range(size):
                if draw.uniform() < 0.25 and i % case["classes"] > 0:
                    values[i] = -math.inf
        return torch.tensor(values, dtype=torch.float64).reshape(case["rows"], case["classes"])

    def classes(self, count):
        """[rows, count] of classes."""
        case = self.case
        numbers = [self.random.integer(case["classes"]) for _ in range(case["rows"] * count)]
        return torch.tensor(numbers, dtype=torch.int64).reshape(case["rows"], count)


def new_case(draw, seed, classes=(1, 2, 3, 7, 17, 33, 64, 100)):
    return {
        "seed": seed,
        "dtype": draw.choice(["float32", "float32", "float64"]),
        "axis": draw.choice([1, 1, 0]),
        "rows": draw.randint(1, 3),
        "classes": draw.choice(classes),
        "spread": draw.choice([1, 3, 10]),
    }


def largest_case(draw, seed):
    """torch.topk, torch.argmax. Of equal values torch.topk promises no order: indices are for rows that have none."""
    case = new_case(draw, seed)
    chosen = draw.random()
    if chosen < 0.3:
        case["ties"] = True
    if 0.2 < chosen < 0.6:
        case["odd"] = draw.choice([0.05, 0.3])
    case["k"] = draw.randint(1, min(case["classes"], 20))
    x = Draw(case).logits()
    values, indices = torch.topk(x, case["k"], dim=1)
    probabilities = torch.gather(F.softmax(x, dim=1), 1, indices)
    logs = torch.gather(F.log_softmax(x, dim=1), 1, indices)
    if "ties" not in case and "odd" not in case:
        case["indices"] = indices.tolist()
    return {
        **case,
        "values": base64_of(values, "<f8"),
        "probabilities": base64_of(probabilities, "<f4"),
        "logProbabilities": base64_of(logs, "<f4"),
        "argMax": torch.argmax(x, dim=1).tolist(),
    }


FILTERS = {
    "temperature": [0.3, 0.7, 1.5],
    "topK": [1, 3, 10, 40],
    "topP": [0.1, 0.5, 0.9, 0.99],
    "minP": [0.01, 0.1, 0.5],
    "typicalP": [0.2, 0.5, 0.9],
    "topNSigma": [0.5, 1.0, 2.0],
}
PENALTIES = [["repetition"], ["frequency"], ["presence"], ["repetition", "frequency", "presence"]]


def processors_case(draw, seed):
    """Each filter alone, all adjustments, then several. Every seventh case has long rows, for a kernel's candidates."""
    number = seed % 1000
    is_long = number % 7 == 6
    case = new_case(draw, seed, (3000, 5000) if is_long else (2, 5, 17, 33, 64, 260))
    if is_long:
        case.update(rows=1, axis=1, dtype="float32", spread=draw.choice([100, 300]))
    names = list(FILTERS)
    chosen = [names[number % len(names)]] if number < 36 else draw.sample(names, draw.randint(1, 4))
    if is_long:
        chosen = draw.sample(["topK", "topP", "minP"], draw.randint(1, 2)) + draw.choice([[], ["temperature"]])
    for name in chosen:
        case[name] = draw.choice(FILTERS[name])
    if draw.random() < 0.2:
        case["dropped"] = True
    # Which of equal logits topP keeps is nobody's promise.
    if "topP" not in case and not is_long and draw.random() < 0.3:
        case["ties"] = case["keepTies"] = True
    if "topNSigma" not in case and "ties" not in case and draw.random() < 0.2:
        case["minKeep"] = 3
    if number >= 36 or not chosen:
        # transformers adds biases before it penalises, sample after that: no case has both.
        for name in draw.choice([[], ["bias"], *PENALTIES]):
            case[name] = {"repetition": 1.3, "frequency": 0.4, "presence": 0.9, "bias": True}[name]
    if len(chosen) > 1 and draw.random() < 0.4:
        case["order"] = "temperature-last"
    inputs = Draw(case)
    x, previous = inputs.logits(), inputs.classes(9)
    margin = Margin()
    scores = processed(case, x, previous, margin)
    if margin.least < 1e-5 or torch.isnan(scores).any():
        return None
    if is_long and scores.isfinite().sum() > 400:
        return None
    kept = [row.isfinite().nonzero().flatten() for row in scores]
    logs = F.log_softmax(scores, dim=1)
    # The draw that a uniform number gives: multinomial's inverse of the cumulative sum.
    uniform = torch.tensor([[inputs.random.uniform()] for _ in range(case["rows"])], dtype=torch.float64)
    sums = logs.exp().cumsum(dim=1)
    if (sums - uniform).abs().min() < 1e-5:
        return None
    return {
        **case,
        "counts": [len(row) for row in kept],
        "kept": base64_of(torch.cat(kept), "<u2"),
        "logProbs": base64_of(torch.cat([logs[i, row] for i, row in enumerate(kept)]), "<f4"),
        "tokens": torch.searchsorted(sums, uniform, right=True).flatten().tolist(),
    }


def token_log_probs_case(draw, seed):
    """log_softmax and gather; ranks by counting larger ones, as vLLM does; topk of all log-probabilities."""
    case = new_case(draw, seed)
    if draw.random() < 0.4:
        case["ties"] = True
    if draw.random() < 0.3:
        case["dropped"] = True
    case["top"] = draw.randint(0, min(5, case["classes"]))
    inputs = Draw(case)
    x, tokens = inputs.logits(), inputs.classes(4)
    logs = F.log_softmax(x, dim=1)
    own = torch.gather(logs, 1, tokens)
    ranks = [(logs > own[:, j : j + 1]).sum(dim=1).tolist() for j in range(4)]
    return {
        **case,
        "logProbs": base64_of(own, "<f4"),
        "ranks": [list(row) for row in zip(*ranks)],
        "logSumExp": base64_of(torch.logsumexp(x, dim=1), "<f8"),
        "topLogProbs": base64_of(torch.topk(logs, case["top"], dim=1).values, "<f4"),
    }


def divergence_case(draw, seed):
    case = new_case(draw, seed)
    if draw.random() < 0.5:
        case["temperature"] = draw.choice([0.5, 2.0])
    inputs = Draw(case)
    p, q = (inputs.logits() / case.get("temperature", 1.0) for _ in range(2))
    loss = F.kl_div(F.log_softmax(q, dim=1), F.log_softmax(p, dim=1), reduction="none", log_target=True)
    return {**case, "divergence": base64_of(loss.sum(dim=1), "<f8")}


def philox(counter, key):
    """Philox4x32-10 of Salmon et al. (2011): what our noise is made of."""
    a, b, c, d = counter
    k, l = key
    for _ in range(10):
        p, q = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (q >> 32) ^ b ^ k, q & 0xFFFFFFFF, (p >> 32) ^ d ^ l, p & 0xFFFFFFFF
        k, l = (k + 0x9E3779B9) & 0xFFFFFFFF, (l + 0xBB67AE85) & 0xFFFFFFFF
    return a, b, c, d


assert philox((0, 0, 0, 0), (0, 0)) == (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)


def gumbel_case(draw, seed):
    """F.gumbel_softmax itself, with uniform numbers of Philox behind its exponential variates."""
    case = new_case(draw, seed, (1, 2, 5, 17, 40))
    case["temperature"] = draw.choice([0.5, 1.0, 3.0])
    case["step"] = draw.choice([0, 1, 2**33 + 5])
    x = Draw(case).logits()

    def exponential_(tensor):
        for row in range(case["rows"]):
            for c in range(case["classes"]):
                words = philox((c, case["step"] & 0xFFFFFFFF, case["step"] >> 32, row), (case["seed"], 0))
                tensor[row, c] = -math.log((words[0] * 2**21 + (words[1] >> 11)) / 2**53)
        return tensor

    original, torch.Tensor.exponential_ = torch.Tensor.exponential_, exponential_
    soft = F.gumbel_softmax(x, tau=case["temperature"], hard=False, dim=1)
    hard = F.gumbel_softmax(x, tau=case["temperature"], hard=True, dim=1)
    torch.Tensor.exponential_ = original
    assert ((hard - hard.round()).abs() < 1e-12).all()
    return {**case, "soft": base64_of(soft, "<f4"), "hard": hard.argmax(dim=1).tolist()}


def cases_of(make, count, base):
    cases, seed = [], base
    draw = random.Random(base)
    while len(cases) < count:
        case = make(draw, seed)
        if case is not None:
            cases.append(case)
            seed += 1
        else:  # with other inputs
            draw.random()
    return cases


result = {
    "pytorch": torch.__version__,
    "largest": cases_of(largest_case, 40, 10000),
    "processors": cases_of(processors_case, 132, 20000),
    "tokenLogProbs": cases_of(token_log_probs_case, 30, 30000),
    "divergence": cases_of(divergence_case, 20, 40000),
    "gumbel": cases_of(gumbel_case, 20, 50000),
}
PATH.write_text(json.dumps(result))
subprocess.run(["npx", "biome", "format", "--write", str(PATH)], cwd=ROOT, check=True)
print(f"{PATH.name}: {PATH.stat().st_size} bytes, processors left no choice of {sum(map(len, result.values()))}")
