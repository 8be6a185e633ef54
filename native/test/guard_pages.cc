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
#include "guard_pages_tokens.h"

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

/// "operation of dtype".
std::string nameOf(const std::string& form, const DTypes& dtypes) {
  return form + " of " + dtypes.name;
}
bool isChosen(const SoftmaxKernels& kernels, const std::string& name) {
  return (kernels.isa + (", " + name)).find(chosen) != std::string::npos;
}

/// One call's arrays at those offsets, on both sides, by all ISAs. prepare(kernels): before those are run; it
/// says whether the reference wrote nothing but its outputs. `unit`: bytes of the smallest element.
template <class Prepare>
void seeAt(GuardedRows& call, const std::string& name, std::size_t unit,
           const std::vector<std::size_t>& offsets, const Prepare& prepare) {
  const std::size_t last = list.count - 1;
  bool is_prepared = false;
  // Fewer lanes last: what one leaves untouched the next writes.
  for (std::size_t i = 0; i <= last; ++i) {
    const SoftmaxKernels& kernels = *list.tables[i];
    if (!isChosen(kernels, name)) continue;
    const auto fail = [&](std::size_t of) {
      if (++wrong[of] <= 3) call.report();
    };
    if (!prepare(kernels, is_prepared)) fail(last);
    is_prepared = true;
    for (const std::size_t offset : offsets)
      for (const Side side : {Side::before, Side::after}) {
        if (i == last && offset % unit != 0) continue;
        ++calls[i];
        if (!call.isRight(kernels, side, offset, i == last)) fail(i);
      }
  }
}

void see(GuardedCall& call, const Form& form, const DTypes& dtypes, const Shape& shape,
         const std::vector<std::size_t>& offsets) {
  const std::size_t unit = std::min({bytesOf(dtypes.x), bytesOf(dtypes.y), bytesOf(dtypes.out)});
  const auto prepare = [&](const SoftmaxKernels& kernels, bool is_prepared) {
    if (is_prepared && !form.is_exponential) return true;
    const bool is_right = call.prepare(form, dtypes, shape, *list.tables[list.count - 1]);
    if (form.is_exponential) call.expectVectors(kernels.lanes);
    return is_right;
  };
  seeAt(call, nameOf(form.name, dtypes), unit, offsets, prepare);
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
      const std::size_t most = length > 300 ? 2 : layout == 0 && length < 128 ? 180 : 40;
      shape.outer = has_columns ? 1 + randomBits() % 2 : 2 + randomBits() % most;
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
  const bool is_of_type =
      dtypes.x == dtypes.out && dtypes.x <= softmaxFloat64 && (!form.has_y || dtypes.y == dtypes.x);
  if (form.row().layouts != Layouts::splits || !is_of_type || form.is_exponential) return;
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

/// One row where it is or with scratch memory, rows, columns, columns of a wider array: one after another.
Shape shapeOf(std::size_t number, std::size_t length) {
  const std::size_t layout = number % 5;
  Shape shape;
  shape.length = length;
  shape.has_scratch = layout != 0;
  if (layout == 2) shape.outer = 2 + randomBits() % 4;
  if (layout >= 3) {
    shape.outer = 1 + randomBits() % 2;
    shape.inner = 1 + randomBits() % 20;
    shape.stride = shape.inner + (layout == 4 ? 1 + randomBits() % 20 : 0);
  }
  shape.is_masked = layout >= 2 && number % 2 == 1;
  shape.per_row = layout >= 2 && number % 3 == 1;
  return shape;
}

/// So many of a row: those around vectors, around what is kept sorted, and around all; the others, if all are
/// wanted, of one of the kinds of rows each.
std::vector<std::size_t> placesOf(std::size_t length, Logits logits) {
  std::vector<std::size_t> places;
  for (std::size_t k = length == 0 ? 0 : 1; k <= length; ++k) {
    const bool is_listed =
        k <= 3 || k + 1 >= length || k == 17 || (k >= 31 && k <= 33) || (k >= 63 && k <= 65);
    const bool is_wanted = is_listed
                               ? extent != Extent::small || k % 3 == 0
                               : extent == Extent::full && allLogits[k % std::size(allLogits)] == logits;
    if (is_wanted) places.push_back(k);
  }
  return places;
}

/// topK, tokenLogProbs, sample and what is of shards: lengths to 200, with all that a row may be.
void seeTokens(GuardedTokens& call, const DTypes& dtypes) {
  std::size_t number = 0;
  const auto seeForm = [&](const TokenForm& form, std::size_t length) {
    const bool is_even = extent == Extent::full && form.logits == Logits::few;
    const std::size_t unit = std::min(bytesOf(dtypes.x), bytesOf(dtypes.out));
    Shape shape = shapeOf(number++, length);
    if (hasDraws(form.row()) && number % 8 != 0) shape = shapeOf(2, length);
    const auto prepare = [&](const SoftmaxKernels&, bool is_prepared) {
      return is_prepared || call.prepare(form, dtypes, shape, *list.tables[list.count - 1]);
    };
    seeAt(call, nameOf(form.row().name, dtypes), unit,
          offsetsOf(length + number, is_even && isListed(length), 1 + number % 2), prepare);
  };
  for (std::size_t length = 0; length <= 200; ++length) {
    const bool is_spared = extent == Extent::small || (extent == Extent::quick && length % 8 != 1);
    if (is_spared && !isListed(length)) continue;
    for (const Logits logits : allLogits) {
      for (const std::size_t k : placesOf(length, logits)) {
        const auto places = static_cast<double>(k);
        for (const double values : {0.0, 1.0, 2.0})
          if (values == 0.0 || k % 3 == 1)
            seeForm({SoftmaxOperation::topK, {places, values}, false, 0, logits}, length);
        if (length == 0) continue;
        const double tokens = k % 16 == 1 ? 70.0 : 1.0 + static_cast<double>(k % 3);
        const double top = k % 4 == 2 ? 0.0 : places;
        seeForm({SoftmaxOperation::tokenLogProbs, {tokens, top}, top > 0, 0, logits}, length);
      }
      for (const bool has_target : {false, true})
        if (length > 0) seeForm({SoftmaxOperation::blockSums, {10.0, -8.0}, has_target, 0, logits}, length);
      seeForm({SoftmaxOperation::gumbelNoise, {5.0, -0.5}, false, 0, logits}, length);
      seeForm({SoftmaxOperation::scaledExponentials, {4.0, 0.0}, false, 0, logits}, length);
      seeForm({SoftmaxOperation::shardLogSoftmax, {3.0, 0.0}, false, 0, logits}, length);
      for (std::size_t i = 0; i < std::size(sampleSettings); ++i)
        for (const bool has_optional : {false, true}) {
          const double draws = i % 3 == 0 ? 1.0 : i % 3 == 1 ? 3.0 : 20.0;
          const double top = has_optional ? 1.0 + static_cast<double>(length / 3) : 0.0;
          if (length > 0) seeForm({SoftmaxOperation::sample, {draws, top}, has_optional, i, logits}, length);
        }
    }
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
  GuardedTokens tokens;
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
  for (const DTypes& dtypes : dtypesOfOne) seeTokens(tokens, dtypes);
  for (const DTypes& dtypes : dtypesOfSome) seeTokens(tokens, dtypes);
  for (std::size_t i = 0; i < list.count; ++i) {
    char line[160];
    std::snprintf(line, sizeof line, "guard pages, %s: %ld calls, nothing beyond the arrays, the same bits",
                  list.tables[i]->isa, calls[i]);
    check(wrong[i] == 0, line);
  }
  return failures == 0 ? 0 : 1;
}
