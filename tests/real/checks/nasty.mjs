// Texts and types that would split a frame, through three parsers: what arrives is what was sent.
import { fetchEventSource } from "@microsoft/fetch-event-source";
import { createParser } from "eventsource-parser";
import { readFileSync } from "node:fs";
import { EventSource } from "undici";
import { check, soon } from "../lib/check.mjs";
import { serve } from "../lib/server.mjs";

const { texts, tags } = JSON.parse(readFileSync(new URL("../nasty.json", import.meta.url)));
const server = await serve();
const run = await server.ask("nasty");
const url = `${server.base}/executions/${run}/stream`;
// A line end or a NUL in a type cannot be written; the type inside the data keeps it.
const types = tags.map((tag) => tag.replace(/[\n\r\0]/g, ""));
const all = ["data-connected", "data-execution-start", "data-text-end", ...types, "data-execution-end"];

const clients = {
  async "eventsource-parser"() {
    const seen = [];
    const parser = createParser({ onEvent: ({ event, data, id }) => seen.push({ event, data, id }) });
    parser.feed(await (await fetch(url)).text());
    return seen;
  },
  "undici EventSource"() {
    return new Promise((resolve) => {
      const seen = [];
      const source = new EventSource(url);
      const take = ({ type, data, lastEventId }) => seen.push({ event: type, data, id: lastEventId });
      ["message", ...all].forEach((type) => source.addEventListener(type, take));
      source.addEventListener("error", () => {
        source.close();
        resolve(seen);
      });
    });
  },
  async "fetch-event-source"() {
    const seen = [];
    globalThis.window ??= globalThis;
    globalThis.document ??= { hidden: false, addEventListener() {}, removeEventListener() {} };
    await fetchEventSource(url, { openWhenHidden: true, onmessage: ({ event, data, id }) => seen.push({ event, data, id }) });
    return seen;
  },
};

let first;
for (const [name, read] of Object.entries(clients)) {
  const seen = await soon(read(), name);
  const sent = seen.map(({ event, data }) => [event, JSON.parse(data)]);
  check(sent[0][0] === "data-connected" && sent.at(-1)[0] === "data-execution-end", `${name}: from start to end`, sent);
  const got = sent.filter(([event]) => event === "data-text-end").map(([, data]) => data.final_text);
  check(JSON.stringify(got) === JSON.stringify(texts), `${name}: the texts`, got);
  const others = sent.filter(([event]) => types.includes(event)).map(([event, data]) => [event, data.type]);
  check(JSON.stringify(others) === JSON.stringify(types.map((type, at) => [type, tags[at]])), `${name}: the types`, others);
  first ??= JSON.stringify(seen.map(({ event, data, id }) => [event, data, id]));
  check(first === JSON.stringify(seen.map(({ event, data, id }) => [event, data, id])), `${name} sees what the others see`);
}
console.log(`${texts.length} texts and ${types.length} types through ${Object.keys(clients).join(", ")}`);
await server.end();
