"""PyTorch as a process that takes turns: reads requests from standard input, writes answers to standard output.

    pytorch.py THREADS call|out

A request is a line of JSON. {operation, dtype, dims, axis, warmup} is followed by the elements (16 bits as float32,
exactly the same numbers), for softmaxBackward also those of its output, for crossEntropy also one int32 class a row. The
answer is {expected, bytes}, the nanoseconds of a call, and that many bytes of the result as float64; {} where PyTorch has
no such function. {budget} is answered by {nanoseconds}: the median over so many nanoseconds of calls.

call: as users call it; out: the same into a tensor that is there before, where there is a way to say so: the gradient
of cross-entropy is always new.
"""

import gc
import itertools
import json
import statistics
import sys
import time

import numpy
import torch
import torch.nn.functional as F

threads, variant = int(sys.argv[1]), sys.argv[2]
torch.set_num_threads(threads)
# As timeit does.
gc.disable()

SAMPLE = 100_000


def read_tensor(dtype, dims):
    element = numpy.float64 if dtype == "float64" else numpy.float32
    count = dims[0] * dims[1]
    values = numpy.frombuffer(sys.stdin.buffer.read(count * element().itemsize), element).copy()
    return torch.from_numpy(values).reshape(dims).to(getattr(torch, dtype))


def cross_entropy(x, axis):
    """Classes are on axis 1 of what it takes; the gradient is of the same layout."""
    rows = x.shape[1 - axis]
    target = numpy.frombuffer(sys.stdin.buffer.read(rows * 4), numpy.int32).astype(numpy.int64)
    target = torch.from_numpy(target)
    if axis == 0:
        x, target = x.unsqueeze(0), target.unsqueeze(0)
    x.requires_grad_()
    return lambda: torch.autograd.grad(F.cross_entropy(x, target), x)[0]


def softmax(x, axis):
    if variant == "call":
        return lambda: torch.softmax(x, axis)
    out = torch.empty_like(x)
    return lambda: torch._softmax(x, axis, False, out=out)


def log_softmax(x, axis):
    if variant == "call":
        return lambda: torch.log_softmax(x, axis)
    out = torch.empty_like(x)
    return lambda: torch._log_softmax(x, axis, False, out=out)


def softmax_backward(grad, output, axis):
    if variant == "call":
        return lambda: torch._softmax_backward_data(grad, output, axis, grad.dtype)
    out = torch.empty_like(grad)
    return lambda: torch._softmax_backward_data(grad, output, axis, grad.dtype, grad_input=out)


def call_of(request):
    operation, dtype, dims, axis = (request[key] for key in ("operation", "dtype", "dims", "axis"))
    x = read_tensor(dtype, dims)
    if operation == "softmax":
        return softmax(x, axis)
    if operation == "logSoftmax":
        return log_softmax(x, axis)
    if operation == "softmaxBackward":
        return softmax_backward(x, read_tensor(dtype, dims), axis)
    return cross_entropy(x, axis)


def time_calls(call, count):
    begin = time.perf_counter_ns()
    for _ in itertools.repeat(None, count):
        call()
    return (time.perf_counter_ns() - begin) / count


def median_time(call, budget, expected):
    call()
    count = max(1, round(SAMPLE / expected)) if expected < SAMPLE else 1
    samples = []
    spent = 0
    while spent < budget or (expected < budget and len(samples) < 3):
        samples.append(time_calls(call, count))
        spent += samples[-1] * count
    return statistics.median(samples)


def write(header, payload=b""):
    sys.stdout.buffer.write(json.dumps(header).encode() + b"\n" + payload)
    sys.stdout.buffer.flush()


call, expected = None, 0
write({"version": torch.__version__.split("+")[0]})
for line in iter(sys.stdin.buffer.readline, b""):
    request = json.loads(line)
    if "budget" in request:
        write({"nanoseconds": median_time(call, request["budget"], expected)})
        continue
    call = call_of(request)
    try:
        result = call()
    except RuntimeError:
        result = None
    if result is None:
        write({})
        continue
    payload = result.detach().to(torch.float64).contiguous().numpy().tobytes()
    expected = median_time(call, request["warmup"], SAMPLE)
    write({"expected": expected, "bytes": len(payload)}, payload)
