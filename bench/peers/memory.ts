// Peers allocate in each call: ONNX Runtime copies its result into a new array, a preallocated output or not, and PyTorch
// makes temporary tensors. glibc gives freed memory back to the system or not, as the rest of the heap happens to be; where
// it does, each call takes it again page by page and is three or four times as long. With these variables it keeps what it
// has.

export const keepsMemory = { MALLOC_MMAP_MAX_: '0', MALLOC_TRIM_THRESHOLD_: '4000000000' };
