// Arrays beside unreadable pages: every operation, on every ISA, reads and writes its arrays and no byte
// more.
//
//   guard_pages           some lengths at all offsets, all lengths at some: for every change
//   guard_pages --full    all lengths from 0 to 1025, at all offsets
//   guard_pages --small   for emulators
//   guard_pages [--full] TEXT   the cases whose "isa, operation of dtype" contain TEXT
//
// An array ends so many bytes before an unreadable page, 0 to 63, or begins so many after one; outputs,
// inputs, masks, weights, targets and results of rows do, each at another byte. What is around them is
// compared byte by byte, and results have the bits of the scalar kernels on aligned memory. Scalar kernels
// may rely on the alignment of an element's type: they get the offsets that are its multiples.
#include <cinttypes>
#include <cstdint>
#include <string>

#include "../runtime/dispatch.h"
#include "guard_pages_run.h"

namespace {

enum class Extent { small, quick, full };
Extent extent = Extent::quick;
std::string chosen;
softmax_native::KernelList list;
long calls[4], wrong[4];
constexpr std::size_t longest = 1025;

/// Around the sizes of vectors, of what is unrolled and of what is transposed.
bool isListed(std::size_t length) {
  constexpr std::size_t lengths[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 130, 257, 1025};
  return std::find(std::begin(lengths), std::end(lengths), length) != std::end(lengths);
}

/// The offsets of a length: all, or none and another one.
std::vector<std::size_t> offsetsOf(std::size_t length, bool all, std::size_t some) {
  std::vector<std::size_t> offsets;
  for (std::size_t i = 0; i < (all ? 64 : some); ++i)
    offsets.push_back(all ? i : i == 0 ? 0 : (length * 7 + i * 23) % 64);
  return offsets;
}

bool isChosen(const SoftmaxKernels& kernels, const Form& form, const DTypes& dtypes) {
  return (std::string(kernels.isa) + ", " + form.name + " of " + dtypes.name).find(chosen) !=
         std::string::npos;
}

/// One call's arrays at those offsets, on both sides, by all ISAs.
void see(GuardedCall& call, const Form& form, const DTypes& dtypes, const Shape& shape,
         const std::vector<std::size_t>& offsets) {
  const std::size_t last = list.count - 1;
  bool any = false;
  for (std::size_t i = 0; i <= last; ++i) any |= isChosen(*list.tables[i], form, dtypes);
  if (!any) return;
  const auto fail = [&](std::size_t i) {
    if (++wrong[i] <= 3) call.report();
  };
  if (!call.prepare(form, dtypes, shape, *list.tables[last])) fail(last);
  const std::size_t unit = std::min({bytesOf(dtypes.x), bytesOf(dtypes.y), bytesOf(dtypes.out)});
  // Fewer lanes last: what one leaves untouched the next writes.
  for (std::size_t i = 0; i <= last; ++i) {
    const SoftmaxKernels& kernels = *list.tables[i];
    if (!isChosen(kernels, form, dtypes)) continue;
    if (form.is_exponential) {
      call.prepare(form, dtypes, shape, *list.tables[last]);
      call.expectVectors(kernels.lanes);
    }
    for (const std::size_t offset : offsets)
      for (const Side side : {Side::before, Side::after}) {
        if (i == last && offset % unit != 0) continue;
        ++calls[i];
        if (!call.isRight(kernels, side, offset, i == last)) fail(i);
      }
  }
}

template <class Body>
void eachLength(bool all, const Body& body) {
  for (std::size_t length = 0; length <= longest; ++length)
    if (all || isListed(length)) body(length);
}

/// One row: the whole product of lengths and offsets.
void seeRows(GuardedCall& call, const Form& form, const DTypes& dtypes) {
  const bool has_pairs = form.count() == Count::perPair;
  eachLength(extent != Extent::small, [&](std::size_t length) {
    if (has_pairs && length > (extent == Extent::full ? 257 : 33)) return;
    const bool all = extent == Extent::full || (extent == Extent::quick && isListed(length));
    Shape shape;
    shape.length = length;
    see(call, form, dtypes, shape, offsetsOf(length, all, 2));
    const bool is_spared = extent == Extent::quick && !isListed(length) && length % 4 != 1;
    if (form.is_exponential || is_spared || form.row().layouts == Layouts::lastAxis) return;
    shape.is_masked = shape.per_row = true;
    shape.has_scratch = length % 2 == 0;
    see(call, form, dtypes, shape, offsetsOf(length, extent == Extent::full, 2));
  });
}

/// Several rows, of the last axis (short ones are transposed) and of others.
void seeLayouts(GuardedCall& call, const Form& form, const DTypes& dtypes) {
  if (form.is_exponential) return;
  const std::size_t some = extent == Extent::full ? 8 : extent == Extent::quick ? 2 : 1;
  eachLength(extent == Extent::full, [&](std::size_t length) {
    for (int layout = 0; layout < 6; ++layout) {
      const bool has_columns = layout >= 2, is_wide = layout >= 4;
      Shape shape;
      shape.length = length;
      shape.outer = has_columns ? 1 + randomBits() % 2 : 2 + randomBits() % (length > 300 ? 2 : 40);
      shape.inner = !has_columns ? 1 : (is_wide ? 1 : 2) + randomBits() % (length > 300 ? 4 : 40);
      shape.stride = shape.inner + (is_wide ? 1 + randomBits() % 20 : 0);
      shape.is_masked = layout % 2 == 1;
      shape.per_row = randomBits() % 2 == 0;
      shape.has_scratch = randomBits() % 2 == 0;
      if (form.count() == Count::perPair && shape.outer * length * length > mostElements) return;
      if (form.row().layouts == Layouts::lastAxis) {
        if (layout > 0) return;
        shape.per_row = shape.has_scratch = false;
      }
      see(call, form, dtypes, shape, offsetsOf(length + static_cast<std::size_t>(layout), false, some));
    }
  });
}

/// What is computed in parts: one of any length, and behind one or two of a block one that is shorter.
void seeParts(GuardedCall& call, const Form& form, const DTypes& dtypes) {
  const bool is_index_loss = form.target == Target::classes && form.smoothing == 0 && !form.has_weight;
  const bool is_of_parts = form.row().layouts == Layouts::splits && (form.isSimple() || is_index_loss);
  const bool is_of_type = dtypes.x == dtypes.out && dtypes.x <= softmaxFloat64;
  if (!is_of_parts || !is_of_type || form.is_exponential) return;
  eachLength(extent == Extent::full, [&](std::size_t length) {
    if (length == 0) return;
    Shape shape;
    shape.length = length;
    shape.part = softmaxBlockSize;
    see(call, form, dtypes, shape, offsetsOf(length, extent == Extent::full, 2));
    shape.length += softmaxBlockSize * (1 + length % 2);
    see(call, form, dtypes, shape, offsetsOf(length, false, extent == Extent::full ? 8 : 1));
  });
}

/// Results that may be written past the caches: those of large arrays, which these rows are said to be part
/// of.
void seeStreams(GuardedCall& call, const Form& form, const DTypes& dtypes) {
  const bool streams = form.isSimple() && form.count() == Count::perElement && form.output == Output::own;
  if (!streams || form.is_exponential || extent == Extent::small || dtypes.x != dtypes.out ||
      dtypes.x > softmaxFloat64)
    return;
  for (std::size_t length = softmaxBlockSize + 1; length < softmaxBlockSize + 66; length += 3) {
    Shape shape;
    shape.length = length;
    shape.is_streamed = true;
    see(call, form, dtypes, shape, offsetsOf(length, extent == Extent::full || length % 16 == 0, 2));
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--full") {
      extent = Extent::full;
    } else if (argument == "--small") {
      extent = Extent::small;
    } else {
      chosen = argument;
    }
  }
  list = softmax_native::supportedKernels();
  GuardedCall call;
  reportFaults();
  for (const Form& form : allForms()) {
    for (const DTypes& dtypes : dtypesOfOne) {
      if (form.is_exponential && dtypes.x > softmaxFloat64) continue;
      if (form.output == Output::wide && dtypes.x == softmaxFloat64) continue;
      seeRows(call, form, dtypes);
      seeLayouts(call, form, dtypes);
      seeParts(call, form, dtypes);
      seeStreams(call, form, dtypes);
    }
    const bool has_others = form.has_y || form.output == Output::own;
    for (const DTypes& dtypes : dtypesOfSome)
      if (has_others && !form.is_exponential) seeLayouts(call, form, dtypes);
    if (extent != Extent::full) continue;
    long so_far = 0;
    for (std::size_t i = 0; i < list.count; ++i) so_far += calls[i];
    std::printf("       %s: done, %ld calls so far\n", form.name.c_str(), so_far);
    std::fflush(stdout);
  }
  for (std::size_t i = 0; i < list.count; ++i) {
    char line[160];
    std::snprintf(line, sizeof line, "guard pages, %s: %ld calls, nothing beyond the arrays, the same bits",
                  list.tables[i]->isa, calls[i]);
    check(wrong[i] == 0, line);
  }
  return failures == 0 ? 0 : 1;
}
