// The example `chat_ui_backend` as a child, on a port of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { folder } from "./server.mjs";

/** Builds and starts it: `{ url, kill() }`. */
export async function chatBackend() {
  const manifest = join(import.meta.dirname, "..", "..", "..", "Cargo.toml");
  const build = spawn("cargo", ["build", "--quiet", "--manifest-path", manifest, "--example", "chat_ui_backend"], { stdio: ["ignore", "ignore", "inherit"] });
  const [status] = await once(build, "exit");
  if (status !== 0) throw new Error("the example could not be built");
  const program = join(process.env.REAL_SERVER, "..", "chat_ui_backend");
  const child = spawn(program, ["0"], { cwd: folder(), stdio: ["ignore", "pipe", "ignore"] });
  process.on("exit", () => child.kill("SIGKILL"));
  const [said] = await once(createInterface({ input: child.stdout }), "line");
  return { url: said.split(",")[0], kill: () => child.kill("SIGKILL") };
}
