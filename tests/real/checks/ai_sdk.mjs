// The AI SDK reads our runs: its parser, its transport and reducer, and the chat class that `useChat` wraps; the newest
// version, and an old one that refuses whatever it does not know. What it shows is held against the record.
import { check, soon } from "../lib/check.mjs";
import { chatBackend } from "../lib/chat_backend.mjs";
import { serve } from "../lib/server.mjs";
import { isDeepStrictEqual } from "node:util";
import * as ai7 from "ai";
import * as ai5 from "ai5";

const versions = { "7.0.173": ai7, "5.0.100": ai5 };
const RUNS = process.env.REAL_RUNS ? 100 : 0;
const user = { id: "u1", role: "user", parts: [{ type: "text", text: "hi" }] };

/** The record of a run, whole. */
async function record(base, run) {
  const events = [];
  for (let after = "", complete = false; !complete; ) {
    const page = await (await fetch(`${base}/executions/${run}/events?limit=1000${after}`)).json();
    events.push(...page.events);
    [after, complete] = [`&after=${page.cursor}`, page.complete];
  }
  return events;
}

/** The parts that a message must have, by what was recorded: texts and tool calls in the order in which they began. */
function expected(events) {
  const [parts, open] = [[], new Map()];
  const begin = (id, part) => {
    if (open.has(id)) return;
    open.set(id, part);
    parts.push(part);
  };
  for (const { event_type, payload } of events) {
    const { id, tool_call_id: toolCallId, tool_name: toolName, final_text: text, input, output } = payload ?? {};
    if (event_type === "text_start") begin(id, { type: "text" });
    if (event_type === "text_end") open.get(id).text = text ?? "";
    if (event_type === "tool_call_start") begin(toolCallId, { type: "dynamic-tool", toolCallId, toolName, state: "output-error" });
    if (event_type === "tool_call_start" && input !== undefined) open.get(toolCallId).input = input;
    if (event_type === "tool_call_end") Object.assign(open.get(toolCallId), { state: "output-available", output });
    if (/_(end|failed)$/.test(event_type)) open.delete(id ?? toolCallId);
  }
  return parts;
}

/** Without the number that an id gets which a model used again: recorded runs have such. */
const own = (id) => id.replace(/~\d+$/, "");

/** Those parts of a message, with what is compared. */
const shown = (message) =>
  message.parts
    .filter(({ type }) => type === "text" || type === "dynamic-tool")
    .map(({ type, text, toolCallId, toolName, input, state, output }) =>
      type === "text"
        ? { type, text }
        : { type, toolCallId: own(toolCallId), toolName, state, input, ...(state === "output-available" && { output }) });

/** A transport that reads a run of ours, whatever is posted. */
function transport(ai, base, run) {
  const read = (_, init) => fetch(`${base}/executions/${run}/stream?dialect=ai-sdk-ui`, { signal: init?.signal });
  return new ai.DefaultChatTransport({ api: base, fetch: read });
}

async function last(ai, stream) {
  const errors = [];
  let message;
  for await (const next of ai.readUIMessageStream({ stream, onError: (error) => errors.push(error.message) })) message = next;
  check(errors.length === 0, "no error of the reducer", errors);
  return message;
}

/** Every chunk fits the schema; gives back how many there are. */
async function parsed(ai, response) {
  let count = 0;
  for await (const chunk of ai.parseJsonEventStream({ stream: response.body, schema: ai.uiMessageChunkSchema })) {
    check(chunk.success, "a chunk that fits the schema", [chunk.error?.message, chunk.rawValue]);
    count += 1;
  }
  return count;
}

/** What `useChat` wraps, without React. */
function chat(ai, options) {
  const state = {
    status: "ready", error: undefined, messages: [],
    pushMessage: (message) => { state.messages = [...state.messages, message]; },
    popMessage: () => { state.messages = state.messages.slice(0, -1); },
    replaceMessage: (at, message) => { state.messages = state.messages.with(at, structuredClone(message)); },
    snapshot: (thing) => structuredClone(thing),
  };
  const seen = { data: [] };
  const Chat = class extends ai.AbstractChat {};
  const made = new Chat({ ...options, state, onData: (part) => seen.data.push(part), onFinish: (end) => { seen.end = end; } });
  return Object.assign(made, { seen });
}

async function readsTheRecord(ai, base, run) {
  const count = await parsed(ai, await fetch(`${base}/executions/${run}/stream?dialect=ai-sdk-ui`));
  const stream = await transport(ai, base, run).sendMessages({ chatId: "c", messages: [user], trigger: "submit-message" });
  const message = await last(ai, stream);
  const want = expected(await record(base, run));
  const got = shown(message);
  const differs = want.findIndex((part, at) => !isDeepStrictEqual(part, got[at]));
  check(got.length === want.length && differs < 0, "the message is the record", [got.length, want.length, got[differs], want[differs]]);
  check(message.id === run && message.metadata.executionId === run, "the message is called as the run", message.metadata);
  return count;
}

async function isWhatUseChatShows(ai, base, run) {
  const one = chat(ai, { id: "c", transport: transport(ai, base, run) });
  await one.sendMessage({ text: "hi" });
  check(one.status === "ready" && !one.error, "the chat is ready", [one.status, one.error?.message]);
  check(one.seen.data.some(({ type, transient }) => type === "data-llm-call-start" && transient), "our own events", one.seen.data);
  const parts = one.messages.at(-1).parts;
  check(!parts.some(({ type }) => type === "data-llm-call-start"), "those that pass stay out of the message", parts);
}

/** One front end posts; another comes when it is half told, and has the same message at the end. */
async function resumes(ai, url) {
  const options = { id: `chat-${Math.random()}`, transport: new ai.DefaultChatTransport({ api: url }) };
  const [first, second] = [chat(ai, options), chat(ai, options)];
  check((await options.transport.reconnectToStream({ chatId: options.id })) === null, "nothing to resume before");
  const sent = first.sendMessage({ text: "the sky" });
  while (!first.messages.at(-1)?.parts?.some(({ text }) => text?.startsWith("There "))) await new Promise((next) => setTimeout(next, 2));
  check(first.status === "streaming", "in the middle", first.status);
  await Promise.all([sent, second.resumeStream()]);
  check(first.status === "ready" && second.status === "ready", "both are ready", [first.error?.message, second.error?.message]);
  const [one, other] = [first.messages.at(-1), second.messages.at(-1)];
  check(isDeepStrictEqual(one, other), "the same message", [one, other]);
  check(one.parts.at(-1).text === "There is a page about the sky.", "the answer", one.parts);
  check((await options.transport.reconnectToStream({ chatId: options.id })) === null, "nothing to resume after");
}

const server = await serve();
const backend = await chatBackend();
const runs = [await server.ask("script")];
for (let nth = 0; nth < RUNS; nth += 1) runs.push(await server.ask(`airline ${nth}`));
let chunks = 0;
for (const [version, ai] of Object.entries(versions)) {
  for (const run of runs) chunks += await soon(readsTheRecord(ai, server.base, run), `ai ${version}, ${run}`);
  await soon(isWhatUseChatShows(ai, server.base, runs[0]), `ai ${version}, chat`);
  await soon(resumes(ai, backend.url), `ai ${version}, resume`);
}
console.log(`${chunks} chunks of ${runs.length} runs by ai ${Object.keys(versions).join(" and ")}, each resumed once`);
backend.kill();
await server.end();
