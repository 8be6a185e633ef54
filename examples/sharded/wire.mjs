// Messages and checkpoints: a head in JSON, and arrays of numbers as they are in memory (little-endian on every machine that
// Node.js has).

const types = { Float32Array, Float64Array, Int32Array, Uint8Array };
const padded = (length) => Math.ceil(length / 8) * 8;

const bytesOf = ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength);
const filled = (bytes) => [bytes, new Uint8Array(padded(bytes.length) - bytes.length)];

/** Bytes, one after another. `head` is JSON; `arrays` are typed arrays by name, of which none is copied. */
export function partsOf(head, arrays = {}) {
  const entries = Object.entries(arrays);
  const listed = entries.map(([name, array]) => [name, array.constructor.name, array.length]);
  const json = Buffer.from(JSON.stringify({ head, listed }));
  const length = bytesOf(Float64Array.of(json.length));
  return [length, ...filled(json), ...entries.flatMap(([, array]) => filled(bytesOf(array)))];
}

export const pack = (head, arrays) => bytesOf(Buffer.concat(partsOf(head, arrays)));

/** { head, …arrays }. Copied: arrays must begin at multiples of 8 bytes, and what comes from a socket begins anywhere. */
export function unpack(received) {
  const { buffer } = Uint8Array.from(received);
  const [length] = new Float64Array(buffer, 0, 1);
  const { head, listed } = JSON.parse(Buffer.from(buffer, 8, length).toString());
  const message = { head };
  let at = 8 + padded(length);
  for (const [name, type, count] of listed) {
    message[name] = new types[type](buffer, at, count);
    at += padded(message[name].byteLength);
  }
  return message;
}
