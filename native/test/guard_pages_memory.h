// Arrays between unreadable pages, at any byte beside them, and what surrounds them checked byte by byte.
#pragma once

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

/// Which unreadable page an array is beside.
enum class Side { before, after };

/// What is being computed, for the report of a fault.
struct Current {
  const char* isa = "";
  char what[160] = "";
  Side side = Side::after;
  std::size_t offset = 0;
};
Current current;

/// Memory between two unreadable pages: mapped once, as what is mapped for each call would cost hours.
class Arena {
 public:
  explicit Arena(std::size_t size) {
    const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    size_ = (size + page - 1) / page * page;
    auto* base =
        static_cast<char*>(mmap(nullptr, size_ + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (base == MAP_FAILED) std::abort();
    begin_ = base + page;
    if (mprotect(begin_, size_, PROT_READ | PROT_WRITE) != 0) std::abort();
  }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  char* begin() const { return begin_; }
  char* end() const { return begin_ + size_; }

 private:
  std::size_t size_;
  char* begin_;
};

/// An array of a call. Around it there are NaNs, classes to ignore, kept mask bytes: what is read there by
/// mistake changes the result, what is written there shows.
class GuardedArray {
 public:
  GuardedArray(const char* name_, std::size_t most, bool has_contents = true)
      : name(name_), has_contents_(has_contents), arena_(most + 2 * margin) {
    if (!has_contents) return;
    image_.resize(most + 2 * margin);
    expected_.resize(most + 2 * margin);
  }

  const char* name;
  char* data = nullptr;
  bool is_used = false;

  /// Of `count` elements of `unit` bytes, which are all canary at first.
  char* use(std::size_t count, std::size_t unit) {
    is_used = true;
    unit_ = unit;
    size_ = count * unit;
    if (!has_contents_) return nullptr;
    if (size_ + 2 * margin > image_.size()) std::abort();
    std::memset(image_.data(), canary, size_ + 2 * margin);
    return image_.data() + margin;
  }

  /// So many bytes from the page on that side. `aligned`: or fewer, for whole elements.
  void place(Side side, std::size_t offset, bool aligned) {
    if (aligned) offset -= offset % unit_;
    below_ = side == Side::before ? offset : margin;
    above_ = side == Side::after ? offset : margin;
    data = side == Side::before ? arena_.begin() + offset : arena_.end() - offset - size_;
    if (has_contents_) {
      std::memcpy(data - below_, image_.data() + margin - below_, below_ + size_ + above_);
    } else {
      std::memset(data - below_, canary, below_);
      std::memset(data + size_, canary, above_);
    }
  }

  /// What is in it now is what every call should leave there.
  void expectThis() {
    if (!has_contents_) return;
    std::memset(expected_.data(), canary, size_ + 2 * margin);
    std::memcpy(expected_.data() + margin, data, size_);
  }
  /// Elements [begin, end) should not be written.
  void expectUntouched(std::size_t begin, std::size_t end) {
    std::memset(expected_.data() + margin + begin * unit_, canary, (end - begin) * unit_);
  }
  /// Whether elements [begin, end) are expected to stay what they are.
  bool isKept(std::size_t begin, std::size_t end) const {
    const std::size_t from = margin + begin * unit_;
    return std::memcmp(expected_.data() + from, image_.data() + from, (end - begin) * unit_) == 0;
  }

  bool isRight() const {
    if (has_contents_)
      return std::memcmp(data - below_, expected_.data() + margin - below_, below_ + size_ + above_) == 0;
    const auto is_canary = [](char byte) { return byte == canary; };
    return std::all_of(data - below_, data, is_canary) &&
           std::all_of(data + size_, data + size_ + above_, is_canary);
  }
  /// The first byte that is wrong.
  void report() const {
    const char *from = data - below_, *wanted = expected_.data() + margin - below_;
    std::size_t i = 0;
    while (from[i] == wanted[i] || (!has_contents_ && i >= below_ && i < below_ + size_)) ++i;
    std::printf("    %s: byte %td of %zu is %02x instead of %02x\n", name, from + i - data, size_,
                static_cast<unsigned char>(from[i]), static_cast<unsigned char>(wanted[i]));
  }
  /// Whether an address is of the array or of the pages around it; how far it is from the first element.
  bool isNear(const char* address, std::ptrdiff_t* distance) const {
    constexpr std::size_t near = 1 << 16;
    *distance = address - data;
    return is_used && address >= arena_.begin() - near && address < arena_.end() + near;
  }
  std::size_t size() const { return size_; }
  std::size_t count() const { return size_ / unit_; }

 private:
  static constexpr std::size_t margin = 64;
  static constexpr char canary = '\xFF';

  /// Not: memory for intermediate results, whose contents nobody compares.
  bool has_contents_;
  Arena arena_;
  std::vector<char> image_, expected_;
  std::size_t unit_ = 1, size_ = 0, below_ = 0, above_ = 0;
};

/// All arrays of the calls, for the report of a fault.
std::vector<GuardedArray*> guarded_arrays;

void describe(char* line, std::size_t size) {
  std::snprintf(line, size, "%s, %s, %zu bytes %s the unreadable page", current.isa, current.what,
                current.offset, current.side == Side::before ? "after" : "before");
}

void onFault(int number, siginfo_t* info, void*) {
  char line[400];
  describe(line, sizeof line);
  const auto* address = static_cast<const char*>(info->si_addr);
  std::printf("FAILED guard pages: signal %d in %s\n", number, line);
  std::ptrdiff_t distance = 0;
  for (const GuardedArray* array : guarded_arrays)
    if (array->isNear(address, &distance))
      std::printf("    byte %td of %s, which has %zu\n", distance, array->name, array->size());
  std::fflush(stdout);
  _exit(1);
}

void reportFaults() {
  struct sigaction action {};
  action.sa_sigaction = onFault;
  action.sa_flags = SA_SIGINFO;
  for (const int number : {SIGSEGV, SIGBUS, SIGILL}) sigaction(number, &action, nullptr);
}

}  // namespace
