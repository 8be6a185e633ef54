// A nats-server of one's own: on loopback, on a port that it finds free, with a token, until it is stopped.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '@nats-io/transport-node';
import { Mistake } from './mistake.mjs';

/** Without the server there is nothing to wait for: each side ends when its connection does. */
export const connectTo = ({ url, token }) =>
  connect({ servers: url, token, reconnect: false, maxReconnectAttempts: 0 });

const missing = 'nats-server is missing. On Debian: apt-get install nats-server';

export class OwnNats {
  #child;
  #failure;

  static async start(directory) {
    const nats = new OwnNats();
    const token = randomBytes(24).toString('hex');
    // In a file, not in the arguments, which others may see. Port −1 is any; the server writes which one it is.
    const config = join(directory, 'nats.conf');
    const text = [
      'listen: "127.0.0.1:-1"',
      `ports_file_dir: ${JSON.stringify(directory)}`,
      `authorization { token: "${token}" }`,
    ].join('\n');
    writeFileSync(config, text, { mode: 0o600 });
    nats.#launch(config, join(directory, 'nats.log'));
    nats.address = { url: await nats.#urlIn(directory), token };
    return nats;
  }

  #launch(config, log) {
    const output = openSync(log, 'a', 0o600);
    // Debian has it where only the superuser looks for programs.
    const env = { ...process.env, PATH: [process.env.PATH, '/usr/sbin'].join(delimiter) };
    this.#child = spawn('nats-server', ['--config', config], { stdio: ['ignore', output, output], env });
    closeSync(output);
    this.#child.once('error', (error) => {
      this.#failure = error.code === 'ENOENT' ? new Mistake(missing) : error;
    });
    this.#child.once('exit', (code, signal) => {
      this.#failure ??= new Error(`nats-server ended with ${signal ?? code}: see ${log}`);
    });
    process.once('exit', this.#kill);
  }

  #kill = () => this.#child.kill();

  async #urlIn(directory) {
    for (;;) {
      if (this.#failure) throw this.#failure;
      try {
        const path = join(directory, `nats-server_${this.#child.pid}.ports`);
        return JSON.parse(readFileSync(path, 'utf8')).nats[0];
      } catch (error) {
        // It is not there yet, or not all of it.
        if (error.code !== 'ENOENT' && !(error instanceof SyntaxError)) throw error;
        await sleep(10);
      }
    }
  }

  async stop() {
    process.off('exit', this.#kill);
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    if (this.#failure) return;
    this.#child.kill();
    await ended;
  }
}
