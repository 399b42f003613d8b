// A browser's EventSource, as undici implements it (it passes every case of the standard's own tests): reads the newest
// run of the server to its end, is cut off in the middle, resumes by itself, and is told to stay away when all is over.
import { EventSource } from "undici";

const base = process.argv[2];
const { executions } = await (await fetch(`${base}/executions`)).json();
const run = executions[0].execution_id;
const types = ["data-connected", "data-execution-start", "data-llm-call-start", "data-llm-call-end", "data-text-delta",
  "data-text-end", "data-tool-input-available", "data-tool-output-available", "data-agent-start", "data-agent-end",
  "data-token-usage", "data-execution-end"];

const seen = [];
const source = new EventSource(`${base}/executions/${run}/stream`);
await new Promise((resolve, reject) => {
  const patience = setTimeout(() => reject(new Error("the stream did not end")), 30_000);
  for (const type of types) {
    source.addEventListener(type, (event) => seen.push({ type, id: event.lastEventId, data: JSON.parse(event.data) }));
  }
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) {
      clearTimeout(patience);
      resolve();
    }
  });
});

const kept = seen.filter((event) => event.type !== "data-connected");
const offsets = kept.map((event) => Number(event.id.split("-")[1]));
const check = (holds, what) => {
  if (!holds) throw new Error(`${what}: ${JSON.stringify(seen.map((event) => [event.type, event.id]))}`);
};
check(seen[0].type === "data-connected", "connected comes first");
check(kept[0].type === "data-execution-start" && kept.at(-1).type === "data-execution-end", "from start to end");
check(offsets.every((offset, at) => at === 0 || offset > offsets[at - 1]), "in order, each once");
const pieces = kept.filter((event) => event.type === "data-text-delta").map((event) => event.data.delta).join("");
const whole = kept.filter((event) => event.type === "data-text-end").map((event) => event.data.final_text).join("");
check(pieces === whole && whole.length > 100, "the pieces are the whole");
check(kept.every((event) => event.data.execution_id === run), "of this run only");
console.log(`EventSource: ${kept.length} events of ${run}, then sent away`);
