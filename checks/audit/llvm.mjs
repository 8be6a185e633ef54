// LLVM's readers, which read ELF, PE and Mach-O on every system, and what they print as data.
import { spawnSync } from 'node:child_process';

/** What a reader prints. Throws if it is missing or cannot read the file. */
export function read(tool, ...args) {
  const { error, status, stdout, stderr } = spawnSync(tool, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, LC_ALL: 'C' },
  });
  if (error?.code === 'ENOENT') throw new Error(`there is no ${tool}: install LLVM (Debian: llvm)`);
  if (error) throw error;
  if (status !== 0) throw new Error(`${tool}: ${stderr.trim().split('\n').at(-1)}`);
  return stdout;
}

/**
 * The blocks that llvm-readobj prints:
 *   Name {             a block
 *     Key: value (0x1) of its fields
 *     Other [          a block in it
 *       anything else  of its lines
 */
export class Block {
  name;
  blocks = [];
  fields = new Map();
  lines = [];

  constructor(name) {
    this.name = name;
  }

  /** All blocks of a name, at any depth. */
  all(name) {
    return this.blocks.flatMap((block) => [...(block.name === name ? [block] : []), ...block.all(name)]);
  }

  /** Without what follows in parentheses. */
  text(key) {
    return this.fields
      .get(key)
      ?.at(-1)
      ?.replace(/ \([^()]*\)$/, '');
  }

  /** What is in parentheses, or all of it. */
  number(key) {
    const value = this.fields.get(key)?.at(-1);
    return Number(value?.match(/\((0x[0-9A-Fa-f]+)\)$/)?.[1] ?? value);
  }

  /** Names of flags: lines like `PF_X (0x1)`. */
  flags() {
    return this.lines.map((line) => line.replace(/ \(.*$/, ''));
  }
}

export function parseBlocks(text) {
  const root = new Block('');
  const open = [root];
  for (const line of text.split('\n').map((padded) => padded.trim())) {
    const block = open.at(-1);
    const begin = line.match(/^(?:(\w[^:]*?)\s*)?[{[](?: \(.*\))?$/);
    const field = line.match(/^([^:]+): ?(.*)$/);
    if (begin) {
      const inner = new Block(begin[1] ?? '');
      block.blocks.push(inner);
      open.push(inner);
    } else if (/^[}\]]$/.test(line) && open.length > 1) {
      open.pop();
    } else if (field) {
      block.fields.set(field[1], [...(block.fields.get(field[1]) ?? []), field[2]]);
    } else if (line !== '') {
      block.lines.push(line);
    }
  }
  return root;
}

export const readBlocks = (file, ...options) =>
  parseBlocks(read('llvm-readobj', '--elf-output-style=LLVM', ...options, file));
