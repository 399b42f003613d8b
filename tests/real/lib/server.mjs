// Our server program (tests/real/server.rs) as a child: what it is told, one line each, and what it answers.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A folder of its own, gone when this program ends. */
export function folder() {
  const path = mkdtempSync(join(tmpdir(), "spanwright-real-"));
  process.on("exit", () => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A port that is free, and below those that Linux gives to who asks for any: so it stays free while the server is away. */
export async function port() {
  for (;;) {
    const tried = 20_000 + Math.floor(Math.random() * 10_000);
    const probe = createServer().listen(tried, "127.0.0.1");
    const free = await new Promise((resolve) => probe.once("listening", () => resolve(true)).once("error", () => resolve(false)));
    if (!free) continue;
    await new Promise((resolve) => probe.close(resolve));
    return tried;
  }
}

/** Starts the program on a log and a port (0 is any that is free): `{ base, ask(command), end(), kill() }`. */
export async function serve(log = join(folder(), "log.db"), port = 0) {
  const child = spawn(process.env.REAL_SERVER, [log, String(port)], { stdio: ["pipe", "pipe", "inherit"] });
  const over = once(child, "exit");
  const stop = () => child.kill("SIGKILL");
  process.on("exit", stop);
  over.then(() => process.off("exit", stop));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error("the server program has ended");
    return value;
  };
  const base = await answer();
  return {
    base,
    async ask(command) {
      child.stdin.write(`${command}\n`);
      return answer();
    },
    /** As a program that ends: streams end, what was emitted is kept. */
    async end() {
      child.stdin.end();
      await over;
    },
    /** As a crash. */
    async kill() {
      child.kill("SIGKILL");
      await over;
    },
  };
}
