// Chromium's own EventSource over 100 restarts of the server, on one log and one port. Every other restart is an orderly
// one of server and recorder in one process; between them the process is killed and another one is started. Runs are
// recorded while the browser is connected and while it is not.
import { join } from "node:path";
import { open } from "../lib/browser.mjs";
import { check, soon } from "../lib/check.mjs";
import { folder, port as unused, serve } from "../lib/server.mjs";

const [RESTARTS, STEPS] = [100, 4];
const log = join(folder(), "log.db");
const port = await unused();
let server = await serve(log, port);

// A page of the server itself: no other may read its streams.
const page = await open(`${server.base}/stats`);
await page.evaluate(`
  globalThis.seen = [];
  globalThis.opened = 0;
  globalThis.source = new EventSource("/stream?from=start");
  source.onopen = () => opened++;
  for (const type of ["data-execution-start", "data-step-end", "data-execution-end", "data-execution-lost",
    "data-stream-gap", "data-stream-lagged"])
    source.addEventListener(type, (event) => seen.push([type, event.lastEventId, event.data]));
`);
const sees = (count) => soon(page.evaluate(`(async () => {
  while (seen.length < ${count}) await new Promise((next) => setTimeout(next, 2));
})()`), `${count} events in the browser`);
const connects = (times) => soon(page.evaluate(`(async () => {
  while (opened < ${times}) await new Promise((next) => setTimeout(next, 2));
})()`), `${times} connections of the browser`);

let runs = 0;
const record = () => server.ask(`run ${STEPS * runs++} ${STEPS}`);
for (let restart = 0; restart < RESTARTS; restart++) {
  await connects(restart + 1);
  await record();
  // Sometimes all has arrived when the line is lost, sometimes not.
  if (restart % 3 > 0) await sees(runs * (STEPS + 2));
  if (restart % 2) {
    await record();
    await server.ask("restart");
  } else {
    await server.kill();
    server = await serve(log, port);
  }
  // Mostly before the browser is back.
  if (restart % 5 > 0) await record();
}
await connects(RESTARTS + 1);
await record();
await sees(runs * (STEPS + 2));

const { seen, opened } = await page.evaluate("({ seen, opened })");
await page.close();
await server.end();
const parsed = seen.map(([type, id, data]) => [type, id, JSON.parse(data)]);
const steps = parsed.filter(([type]) => type === "data-step-end").map(([, , data]) => data.duration_ms);
check(steps.length === runs * STEPS && steps.every((number, at) => number === at), "every step once, in order", steps);
const shape = ["data-execution-start", ...Array(STEPS).fill("data-step-end"), "data-execution-end"];
const strange = parsed.filter(([type, , data], at) => {
  const first = parsed[at - (at % shape.length)];
  return type !== shape[at % shape.length] || data.execution_id !== first[2].execution_id;
});
check(strange.length === 0, "one run after the other, whole, and nothing else", strange);
check(new Set(parsed.map(([, id]) => id)).size === parsed.length, "each with an id of its own");
console.log(`${page.version}: ${parsed.length} events of ${runs} runs, each once, over ${RESTARTS} restarts and ${opened} connections`);
