// What --help prints.

export const program = 'softmax-native';

const main = `Usage: ${program} <command> [options]

Commands:
  apply FILE          softmax or log-softmax along an axis of a .npy file of any size
  topk FILE           the most likely classes of each row of a .npy file of logits
  sample FILE         classes (tokens) drawn from each row of a .npy file of logits
  eval LOGITS LABELS  loss, accuracy and calibration of logits in .npy files of any size
  bench               how fast softmax is on this machine
  info                which code serves this package here, and why

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

const bench = `Usage: ${program} bench

Times softmax of float32 at a few sizes, with the code that serves this package here, beside a plain loop in
JavaScript and a copy of the same bytes. Medians of some 4 seconds.

Options:
  -h, --help  this text`;

const apply = `Usage: ${program} apply FILE [options]

Computes softmax or log-softmax along an axis of an array of float16, float32, float64 or bfloat16. FILE is a
NumPy .npy file, a .npz archive of them, or '-' for a .npy file from standard input. The result is a .npy file
of the same shape, dtype, byte order and memory order.

Options:
  --function softmax|log-softmax  what to compute (default softmax)
  --axis N          the axis; a negative one counts from the last (default -1)
  --temperature T   divides the numbers first; 0 and Infinity are taken as limits (default 1)
  --array NAME      which array of a .npz archive (default: the only one)
  --dtype bfloat16  what a file of dtype V2 contains: NumPy has no name for bfloat16
  --output OUT      where the result goes; '-' is standard output (default: beside FILE, with .softmax.npy or
                    .log-softmax.npy for .npy; standard output if FILE is '-')
  --force           replace OUT if it exists; OUT may be FILE itself
  --memory MIB      memory for data, 0.001 to 2048 MiB (default 256)
  --quiet           no summary and no progress bar
  -h, --help        this text

FILE may be larger than memory: it is read and written in blocks. The result has the bits of one call over
the whole array. Only rows that are larger than --memory are computed in another way, in two passes and in
float64. Their last bits may differ; a line on the error output says so.

OUT appears when it is complete. Until then a hidden file beside it holds the result. An error or a signal
removes that file; the next run for the same OUT removes what a killed run left.`;

const rows = `
  --axis N          the axis of the classes; a negative one counts from the last (default -1)
  --labels FILE     a text file with one line per class, printed beside it
  --array NAME      which array of a .npz archive (default: the only one)
  --dtype bfloat16  what a file of dtype V2 contains: NumPy has no name for bfloat16
  --json            a JSON object per row
  -h, --help        this text

FILE is a NumPy .npy file, a .npz archive, or '-' for a .npy file from standard input; up to 2 GiB. Numbers are
separated by tabs. Where there are several rows, a line begins with its row.`;

const topk = `Usage: ${program} topk FILE [options]

Prints the most likely classes of each row of logits, the first one first: a line each, with its probability (of
all classes), its number and its label.

Options:
  --k N             how many (default 5, or all where there are fewer)
  --temperature T   divides the logits first (default 1)${rows}`;

const sample = `Usage: ${program} sample FILE [options]

Draws classes from each row of logits: a line each, with the log of the probability that it was drawn with, its
number and its label. A row with nothing to draw has class -1.

Options:
  --count N         draws of each row (default 1)
  --seed N          the same seed draws the same classes (default: a fresh one, which is printed on the error output)
  --step N          which of the steps with that seed this is (default 0)
  --temperature T   divides the logits first; 0 takes the largest (default 1)
  --top-k K         only the K largest logits; 0: all
  --top-p P         only the largest whose probabilities sum to P
  --min-p P         only those with at least P times the largest probability
  --typical-p P     only those nearest to the entropy whose probabilities sum to P
  --top-n-sigma N   only logits of at least the largest less N standard deviations; 0: all${rows}`;

const evaluation = `Usage: ${program} eval LOGITS LABELS [options]

Prints how good logits are: cross-entropy (mean, in nats), perplexity, top-1 and top-5 accuracy, expected and
maximum calibration error (ECE, MCE), Brier score. LOGITS is (rows, classes), of float16, float32, float64 or
bfloat16; LABELS has a class for each row, of any integers.

Options:
  --ignore-index N      rows with this label are left out (default -100)
  --bins N              bins of the calibration errors, 1 to 1000 (default 15)
  --temperature T       divides the logits first (default 1)
  --fit-temperature     finds the temperature with the smallest cross-entropy, and prints the figures there, too
  --diagram OUT.svg     draws the reliability diagram: accuracy against confidence
  --force               replace OUT.svg if it exists
  --array NAME          which array of a .npz archive is LOGITS (default: the only one)
  --labels-array NAME   the same of LABELS
  --dtype bfloat16      what logits of dtype V2 are: NumPy has no name for bfloat16
  --json                a JSON object, with the bins
  -h, --help            this text

LOGITS and LABELS are NumPy .npy files or .npz archives; one of them may be '-', a .npy file from standard input.
They may be larger than memory. All is computed in float64. A row that has no probabilities (NaN, Infinity or
nothing but -Infinity) is an error, unless its label is the ignored one.`;

const texts = new Map(Object.entries({ info, bench, apply, topk, sample, eval: evaluation }));

/** A command's text; of another word, the program's. */
export const helpOf = (command: string): string => texts.get(command) ?? main;
