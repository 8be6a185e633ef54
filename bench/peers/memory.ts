// Peers allocate results or temporary memory in each call. By default glibc now and then gives freed memory back to the
// system and takes it again, page by page: calls of ONNX Runtime and PyTorch then take three or four times as long. These
// variables make it keep what it has, so that the peers are measured at their best.

export const keepsMemory = { MALLOC_MMAP_MAX_: '0', MALLOC_TRIM_THRESHOLD_: '4000000000' };
