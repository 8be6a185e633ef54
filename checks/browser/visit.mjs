// Pages of a server on this machine alone, one after the other in one browser. Each reports what it found as it ends.
import { createServer } from 'node:http';
import { open } from './browser.mjs';

/** Milliseconds for a page. */
const patience = 60_000;

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

/**
 * `answer(path, query)` is what the server has there: a type, a body, headers; or undefined. `report(index, result)` is
 * called with what a page posts to /report. Why not all of them reported; undefined if all did.
 */
export async function visit(program, addresses, answer, report) {
  let at = 0;
  let timer;
  let end;
  const ended = new Promise((resolve) => {
    end = resolve;
  });
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => end(`${addresses[at]}: no report in ${patience / 1000} s`), patience);
  };
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost');
    if (pathname === '/report') {
      report(at, JSON.parse(await bodyOf(request)));
      at++;
      wait();
      response.end(JSON.stringify({ next: addresses[at] }));
      if (at === addresses.length) end();
      return;
    }
    const found = answer(pathname, searchParams);
    response.writeHead(found?.status ?? (found ? 200 : 404), {
      ...(found?.type && { 'content-type': found.type }),
      ...found?.headers,
    });
    response.end(found?.body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  wait();
  const browser = open(program, `http://127.0.0.1:${server.address().port}${addresses[0]}`);
  const problem = await Promise.race([ended, browser.ended]);
  clearTimeout(timer);
  await browser.close();
  server.close();
  server.closeAllConnections();
  return problem;
}
