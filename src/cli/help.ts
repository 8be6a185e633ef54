// What --help prints.

export const program = 'softmax-native';

const main = `Usage: ${program} <command> [options]

Commands:
  apply FILE   softmax or log-softmax along an axis of a .npy file of any size
  bench        how fast native code and JavaScript are on this machine
  info         which code serves this package here, and why

Options:
  -h, --help     this text; after a command: that command's
  -v, --version  the version of the package

Exit codes: 0 done, 1 it failed (one line on the error output says why), 2 the command line was wrong.
Environment: SOFTMAX_BACKEND, SOFTMAX_ISA, SOFTMAX_THREADS (info shows what they lead to), NO_COLOR.`;

const info = `Usage: ${program} info [--json]

Which code serves this package here and why, on how many threads, and what this CPU has.

Options:
  --json      the same for programs
  -h, --help  this text`;

const bench = `Usage: ${program} bench [--quick] [--json]

Times softmax and crossEntropy with its gradient, float32, in native code (on all its threads) and in
JavaScript, beside a copy of the same bytes. They take turns; medians are shown. About 15 seconds. Whether
both gave the same bits is checked on the way.

Options:
  --quick     2 seconds, less exact
  --json      numbers for programs, in nanoseconds a call
  -h, --help  this text`;

const apply = `Usage: ${program} apply FILE [options]

Computes softmax or log-softmax along an axis of the array in FILE, a NumPy .npy file of float16, float32 or
float64, and writes an array of the same shape, dtype, byte order and memory order.

Options:
  --function softmax|log-softmax  what to compute (default softmax)
  --axis N          along which axis; negative counts from the last (default -1)
  --temperature T   divides the numbers first; 0 and Infinity are taken as limits (default 1)
  --output OUT      where the result goes (default: FILE with .softmax.npy or .log-softmax.npy for .npy)
  --force           replace OUT if it exists; OUT may be FILE itself
  --memory MIB      memory for data, 0.001 to 2048 MiB (default 256)
  --quiet           no progress bar (there is one on terminals only)
  -h, --help        this text

FILE may be larger than memory: it is read and written in blocks. The result has the bits of one call over
the whole array, whatever the memory. Only rows that are larger than the memory given are computed in another
way: twice through the file, in float64, rounded once. NaN and infinities come out as they do otherwise.

OUT appears when it is complete: until then a hidden file beside it holds the result, which an error, SIGINT,
SIGTERM or SIGHUP removes. Standard input and output ('-') are not supported.`;

const texts = new Map(Object.entries({ info, bench, apply }));

/** A command's text; of another word, the program's. */
export const helpOf = (command: string): string => texts.get(command) ?? main;
