// What node-gyp's make prints while it compiles, as progress: on a terminal one line that counts seconds, elsewhere a line
// per file.
import { spawnSync } from 'node:child_process';

/** A line that make prints before it compiles a file, and the file. */
const compiles = /\bCXX\(target\) \S*?\/obj\.target\/[^/\s]+\/(\S+)\.o\b/;

/** How many files the next build compiles: what make would do. 0 where there is no make. */
export function countFiles(directory) {
  const make = process.env.MAKE ?? 'make';
  const { stdout } = spawnSync(make, ['-n', 'BUILDTYPE=Release'], { cwd: directory, encoding: 'utf8' });
  return (stdout ?? '').split('\n').filter((line) => compiles.test(line)).length;
}

export class CompileProgress {
  #start = performance.now();
  #total;
  #stream;
  #begun = 0;
  #file = '';
  #rest = '';
  #timer;

  constructor(total, stream) {
    this.#total = total;
    this.#stream = stream;
    if (total > 0 && stream.isTTY) this.#timer = setInterval(() => this.#draw(), 1000);
  }

  #text() {
    const seconds = Math.round((performance.now() - this.#start) / 1000);
    return `native build: file ${this.#begun} of ${this.#total}, ${seconds} s: ${this.#file}`;
  }

  #draw() {
    if (this.#begun > 0) this.#stream.write(`\r\x1b[K${this.#text().slice(0, this.#stream.columns - 1)}`);
  }

  /** Takes what make prints, in pieces as they come. */
  write(piece) {
    const lines = (this.#rest + piece).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const [, file] = compiles.exec(line) ?? [];
      if (file === undefined || this.#begun >= this.#total) continue;
      this.#begun++;
      this.#file = `${file}.cc`;
      if (this.#stream.isTTY) this.#draw();
      else this.#stream.write(`${this.#text()}\n`);
    }
  }

  end() {
    clearInterval(this.#timer);
    if (this.#stream.isTTY && this.#begun > 0) this.#stream.write('\r\x1b[K');
  }
}
