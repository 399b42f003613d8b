// AG-UI's client reads our runs: its schema, its verifier, its agent. It only warns of what it drops, so not one warning
// is allowed; and it takes a stream without an end for a good one, so the end is looked for.
import { HttpAgent, enforceEvents, transformChunks, verifyEvents } from "@ag-ui/client";
import { from, lastValueFrom, toArray } from "rxjs";
import { isDeepStrictEqual } from "node:util";
import { check, soon } from "../lib/check.mjs";
import { serve } from "../lib/server.mjs";

const RUNS = process.env.REAL_RUNS ? 100 : 0;
const warnings = [];
console.warn = (...words) => warnings.push(words.join(" "));

/** Its agent posts what it knows; our stream is asked for with GET. */
class Agent extends HttpAgent {
  requestInit() {
    return { method: "GET", headers: { Accept: "text/event-stream" }, signal: this.abortController.signal };
  }
}

const isEnd = ({ type }) => type === "RUN_FINISHED" || type === "RUN_ERROR";

/** Schema, chunks and order, without a line in between. */
async function verified(url) {
  const body = await (await fetch(url)).text();
  const events = body.split("\n").filter((line) => line.startsWith("data: ")).map((line) => JSON.parse(line.slice(6)));
  const out = await lastValueFrom(from(events).pipe(enforceEvents(), transformChunks(), verifyEvents(), toArray()));
  check(isDeepStrictEqual(out, events), "nothing was dropped or stripped", out);
  check(isEnd(out.at(-1)) && out.filter(isEnd).length === 1, "one end, at the end", out.at(-1));
  return out;
}

const text = (content) => (typeof content === "string" ? content : JSON.stringify(content));

/** The messages that an agent must have, by our own stream. */
function expected(frames) {
  const messages = [];
  for (const { type, ...event } of frames) {
    if (type === "data-text-end") messages.push({ role: "assistant", content: event.final_text ?? "" });
    if (type === "data-tool-output-available") messages.push({ role: "tool", toolCallId: event.tool_call_id, content: text(event.output) });
    if (type === "data-tool-output-error") messages.push({ role: "tool", toolCallId: event.tool_call_id, content: event.error });
  }
  return messages;
}

async function native(base, run) {
  const body = await (await fetch(`${base}/executions/${run}/stream`)).text();
  return body.split("\n").filter((line) => line.startsWith("data: ")).map((line) => JSON.parse(line.slice(6)));
}

/** Without the number that an id gets which a model used again: recorded runs have such. */
const own = (id) => id.replace(/~\d+$/, "");
const sorted = (messages) => messages.map((message) => JSON.stringify(message)).sort();

async function readsTheRun(base, run) {
  const url = `${base}/executions/${run}/stream?dialect=ag-ui`;
  const events = await verified(url);
  const seen = [];
  const agent = new Agent({ url, threadId: "th", initialMessages: [{ id: "u1", role: "user", content: "hi" }] });
  const { newMessages } = await agent.runAgent({ runId: "r1" }, { onEvent: ({ event }) => { seen.push(event.type); } });
  check(seen.length === events.length && isEnd({ type: seen.at(-1) }), "the agent saw all of it", seen);
  const frames = await native(base, run);
  const got = newMessages
    .filter(({ role, toolCalls }) => role === "tool" || (role === "assistant" && !toolCalls))
    .map(({ role, content, toolCallId }) => (role === "tool" ? { role, toolCallId: own(toolCallId), content } : { role, content }));
  const [have, want] = [sorted(got), sorted(expected(frames))];
  const differs = want.findIndex((message, at) => message !== have[at]);
  check(have.length === want.length && differs < 0, "the messages are the run's", [have.length, want.length, have[differs], want[differs], have.at(-1)]);
  const inputs = frames.filter(({ type }) => type === "data-tool-input-available");
  const calls = newMessages.flatMap(({ toolCalls }) => toolCalls ?? []);
  const given = calls.map((call) => ({ id: own(call.id), name: call.function.name, input: JSON.parse(call.function.arguments) }));
  const wanted = inputs.map((call) => ({ id: call.tool_call_id, name: call.tool_name, input: call.input }));
  check(isDeepStrictEqual(sorted(given), sorted(wanted)), "every call with its input", [given, wanted]);
  return events.length;
}

const server = await serve();
const runs = [await server.ask("script")];
for (let nth = 0; nth < RUNS; nth += 1) runs.push(await server.ask(`airline ${nth}`));
let count = 0;
for (const run of runs) count += await soon(readsTheRun(server.base, run), run);
check(warnings.length === 0, "not one warning", warnings);
console.log(`${count} events of ${runs.length} runs, accepted without a warning`);
await server.end();
process.exit(0);
