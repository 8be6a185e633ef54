"""The processors of Hugging Face transformers (src/transformers/generation/logits_process.py), class by class in PyTorch's
operations, and of others what that has not. `margin` hears how far each decision was from another."""

import math

import torch


class Margin:
    """How near two numbers were of which one decides."""

    def __init__(self):
        self.least = math.inf

    def see(self, differences):
        differences = differences[differences.isfinite()].abs()
        if len(differences) > 0:
            self.least = min(self.least, float(differences.min()))


def keep_first(remove, sorted_indices, count):
    """The first `count` in that order stay."""
    sorted_remove = torch.gather(remove, 1, sorted_indices)
    sorted_remove[..., :count] = False
    return remove.scatter(1, sorted_indices, sorted_remove)


def repetition_penalty(scores, input_ids, penalty):
    """RepetitionPenaltyLogitsProcessor"""
    score = torch.gather(scores, 1, input_ids)
    score = torch.where(score < 0, score * penalty, score / penalty)
    return scores.scatter(1, input_ids, score)


def frequency_presence(scores, input_ids, frequency, presence):
    """OpenAI's API reference: mu[j] - c[j] * alpha_frequency - float(c[j] > 0) * alpha_presence; as vLLM's apply_penalties."""
    counts = torch.zeros_like(scores).scatter_add(1, input_ids, torch.ones_like(input_ids, dtype=scores.dtype))
    return scores - counts * frequency - (counts > 0) * presence


def sequence_bias(scores, indices, values):
    """SequenceBiasLogitsProcessor, of sequences of one token: each bias is added."""
    bias = torch.zeros_like(scores)
    bias[:, indices] = values
    return scores + bias


def temperature(scores, value):
    """TemperatureLogitsWarper"""
    return scores / value


def top_k(scores, k, min_keep, margin):
    """TopKLogitsWarper: all that equal the last one stay."""
    k = min(max(k, min_keep), scores.size(-1))
    return scores.masked_fill(scores < torch.topk(scores, k)[0][..., -1, None], -math.inf)


def top_p(scores, p, min_keep, margin):
    """TopPLogitsWarper"""
    sorted_logits, sorted_indices = torch.sort(scores, descending=False)
    cumulative = sorted_logits.softmax(dim=-1).cumsum(dim=-1)
    margin.see(cumulative - (1 - p))
    sorted_remove = cumulative <= (1 - p)
    sorted_remove[..., -min_keep:] = False
    return scores.masked_fill(sorted_remove.scatter(1, sorted_indices, sorted_remove), -math.inf)


def min_p(scores, p, min_keep, margin):
    """MinPLogitsWarper"""
    probs = torch.softmax(scores, dim=-1)
    least = p * probs.max(dim=-1, keepdim=True)[0]
    margin.see(torch.log(probs / least))
    remove = keep_first(probs < least, torch.argsort(scores, descending=True, dim=-1), min_keep)
    return scores.masked_fill(remove, -math.inf)


def typical(scores, mass, min_keep, margin):
    """TypicalLogitsWarper"""
    normalized = torch.nn.functional.log_softmax(scores, dim=-1)
    entropy = -(normalized * torch.exp(normalized)).nansum(-1, keepdim=True)
    shifted = torch.abs((-normalized) - entropy)
    sorted_scores, sorted_indices = torch.sort(shifted, descending=False)
    cumulative = scores.gather(-1, sorted_indices).softmax(dim=-1).cumsum(dim=-1)
    margin.see(cumulative - mass)
    last = (cumulative < mass).sum(dim=1).clamp_(max=sorted_scores.shape[-1] - 1)
    bound = sorted_scores.gather(1, last.view(-1, 1))
    # Those that are as far are of equal logits, or their order hangs by a rounding.
    last_logit = scores.gather(1, sorted_indices.gather(1, last.view(-1, 1)))
    margin.see(torch.where(scores == last_logit, torch.full_like(shifted, math.inf), shifted - bound))
    sorted_remove = sorted_scores > bound
    sorted_remove[..., :min_keep] = False
    return scores.masked_fill(sorted_remove.scatter(1, sorted_indices, sorted_remove), -math.inf)


def top_n_sigma(scores, n, min_keep, margin):
    """llama.cpp, llama_sampler_top_n_sigma_apply: the deviation is that of the finite logits."""
    rows = []
    for row in scores:
        finite = row[row.isfinite()]
        bound = finite.max() - n * finite.std(unbiased=False)
        margin.see(row - bound)
        rows.append(row.masked_fill(row < bound, -math.inf))
    return torch.stack(rows)


def processed(case, scores, previous, margin):
    """In the order that GenerationMixin._get_logits_processor has, topNSigma first; or that of llama.cpp's default chain."""
    if "repetition" in case:
        scores = repetition_penalty(scores, previous, case["repetition"])
    if "frequency" in case or "presence" in case:
        scores = frequency_presence(scores, previous, case.get("frequency", 0.0), case.get("presence", 0.0))
    if "bias" in case:
        scores = sequence_bias(scores, [0, scores.size(1) - 1], torch.tensor([1.5, -2.0], dtype=scores.dtype))
    filters = {"topNSigma": top_n_sigma, "topK": top_k, "topP": top_p, "minP": min_p, "typicalP": typical}
    order = ["temperature", "topNSigma", "topK", "topP", "minP", "typicalP"]
    if case.get("order") == "temperature-last":
        order = ["topNSigma", "topK", "typicalP", "topP", "minP", "temperature"]
    for name in order:
        if name in case and name in filters:
            scores = filters[name](scores, case[name], case.get("minKeep", 1), margin)
        elif name in case:
            scores = temperature(scores, case[name])
    return scores
