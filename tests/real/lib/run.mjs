// Runs every check of `checks/`, or those that are named, one after another, against one server that holds recorded
// runs. A check is a program: it gets the server's address, prints one line of what it saw, and fails by its status.
// One that needs a server of its own starts it (`lib/server.mjs`).
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { serve } from "./server.mjs";

const checks = join(import.meta.dirname, "..", "checks");
const wanted = process.argv.slice(2);
const programs = { ".mjs": process.execPath, ".py": process.env.REAL_PYTHON };

const server = await serve();
await server.ask("nasty");
if (process.env.REAL_RUNS) for (const nth of [0, 1, 2]) await server.ask(`airline ${nth}`);

let failed = 0;
for (const file of readdirSync(checks).sort()) {
  const [name, kind] = [file.replace(/\.\w+$/, ""), file.match(/\.\w+$/)?.[0]];
  if (wanted.length > 0 && !wanted.includes(name) && !wanted.includes(file)) continue;
  const begun = Date.now();
  const { status, stdout } = spawnSync(programs[kind], [join(checks, file), server.base], {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
    // Longer than each thing that a check waits for.
    timeout: 900_000,
    killSignal: "SIGKILL",
  });
  failed += status === 0 ? 0 : 1;
  console.log(`${status === 0 ? "ok    " : "FAILED"} ${file}, ${((Date.now() - begun) / 1000).toFixed(1)} s: ${stdout.trim()}`);
}
await server.end();
process.exit(failed === 0 ? 0 : 1);
