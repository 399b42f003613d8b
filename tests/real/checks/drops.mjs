// Three clients that come back by themselves read a live run to its end, over a line that is cut 40 times.
import { fetchEventSource } from "@microsoft/fetch-event-source";
import { EventSource as OfEventsource } from "eventsource";
import { EventSource as OfUndici } from "undici";
import { check, soon } from "../lib/check.mjs";
import { cutting } from "../lib/proxy.mjs";
import { serve } from "../lib/server.mjs";

const [STEPS, CUTS] = [400, 40];
const types = ["data-connected", "data-stream-lagged", "data-stream-gap", "data-ping", "data-execution-start",
  "data-text-start", "data-text-delta", "data-text-end", "data-step-end", "data-execution-end"];

/** Reads until the client closes for good. */
const byEventSource = (EventSource) => (url, take) =>
  new Promise((resolve) => {
    const source = new EventSource(url);
    types.forEach((type) => source.addEventListener(type, (event) => take(type, event.data, event.lastEventId)));
    source.addEventListener("error", () => source.readyState === EventSource.CLOSED && resolve());
  });

/** This one takes the end of a body for the end of all, and knows nothing of 204: both are said as its README does. */
async function byFetchEventSource(url, take) {
  globalThis.window ??= globalThis;
  globalThis.document ??= { hidden: false, addEventListener() {}, removeEventListener() {} };
  const over = new Error("204");
  await fetchEventSource(url, {
    openWhenHidden: true,
    async onopen(response) {
      if (response.status === 204) throw over;
    },
    // It hands out comments as empty messages.
    onmessage: ({ event, data, id }) => data !== "" && take(event, data, id),
    onclose() {
      throw new Error("come back");
    },
    onerror(error) {
      if (error === over) throw error;
      return 10;
    },
  }).catch((error) => check(error === over, String(error)));
}

const clients = {
  undici: byEventSource(OfUndici),
  eventsource: byEventSource(OfEventsource),
  "fetch-event-source": byFetchEventSource,
};

const server = await serve();
const said = [];
for (const [name, read] of Object.entries(clients)) {
  // This one takes an id as soon as its line is read. Frames have it last, so only there it can lose an event.
  const proxy = await cutting(server.base, CUTS, 20261121, name === "fetch-event-source");
  const run = await server.ask(`stream ${STEPS}`);
  const events = [];
  const take = (type, data, id) => events.push({ type, id, data: JSON.parse(data) });
  await soon(read(`${proxy.base}/executions/${run}/stream`, take), name);
  proxy.close();

  const of = (...wanted) => events.filter(({ type }) => wanted.includes(type));
  const steps = of("data-step-end").map(({ data }) => data.duration_ms);
  check(steps.length === STEPS && steps.every((number, at) => number === at), `${name}: every step once, in order`, steps);
  const kept = events.filter(({ type }) => !["data-connected", "data-stream-lagged", "data-ping"].includes(type));
  const offsets = kept.map(({ id }) => Number(id.split("-")[1]));
  check(offsets.every((offset, at) => at === 0 || offset > offsets[at - 1]), `${name}: ids without repeat`, offsets);
  check(of("data-stream-gap").length === 0, `${name}: no gap`);
  const lost = of("data-stream-lagged").reduce((sum, { data }) => sum + data.dropped, 0);
  check(of("data-text-delta").length + lost === STEPS, `${name}: pieces are there or told as lost`, { seen: of("data-text-delta").length, lost });
  const [begun, ended] = [kept[0].type, kept.at(-1).type];
  check(begun === "data-execution-start" && ended === "data-execution-end", `${name}: from start to end`, [begun, ended]);

  const asked = proxy.seen.map(({ last }) => last);
  check(asked[0] === null && asked.slice(1).every((last) => /^[0-9a-f]{16}-\d+$/.test(last)), `${name}: comes back with its last id`, asked);
  const statuses = proxy.seen.map(({ status }) => status);
  check(statuses.at(-1) === 204 && statuses.slice(0, -1).every((status) => status === 200), `${name}: sent away once`, statuses);
  check(statuses.length > CUTS, `${name}: cut ${CUTS} times`, statuses.length);
  said.push(`${name} ${kept.length} events over ${statuses.length} connections`);
}
console.log(said.join(", "));
await server.end();
