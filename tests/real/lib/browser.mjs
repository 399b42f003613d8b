// Headless Chromium, driven over its own protocol: one page, and what its scripts answer.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { WebSocket } from "undici";
import { folder } from "./server.mjs";
import { soon } from "./check.mjs";

const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--remote-debugging-port=0",
  "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"];

/** Opens a page: `{ version, evaluate(script), close() }`. A script's promise is waited for. */
export async function open(url) {
  const child = spawn(process.env.REAL_BROWSER, [...FLAGS, `--user-data-dir=${folder()}`, "about:blank"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const stop = () => child.kill("SIGKILL");
  process.on("exit", stop);
  const call = await protocol(await soon(endpoint(child), "Chromium to listen"));
  const { product } = await call("Browser.getVersion");
  const { targetId } = await call("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await call("Target.attachToTarget", { targetId, flatten: true });
  const evaluate = async (expression) => {
    const params = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await call("Runtime.evaluate", params, sessionId);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  await call("Page.navigate", { url }, sessionId);
  while ((await evaluate("document.readyState + location.href")) !== `complete${url}`);
  return {
    version: product,
    evaluate,
    async close() {
      const over = once(child, "exit");
      child.kill("SIGKILL");
      await over;
      process.off("exit", stop);
    },
  };
}

function endpoint(child) {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stderr.on("data", (bytes) => {
      said += bytes;
      const address = /DevTools listening on (ws:\S+)/.exec(said)?.[1];
      if (address) resolve(address);
    });
    child.on("exit", () => reject(new Error(`Chromium ended: ${said}`)));
  });
}

/** Calls of the DevTools protocol over its socket. */
async function protocol(address) {
  const socket = new WebSocket(address);
  const waiting = new Map();
  let last = 0;
  socket.addEventListener("message", ({ data }) => {
    const { id, result, error } = JSON.parse(data);
    const [resolve, reject] = waiting.get(id) ?? [];
    waiting.delete(id);
    error ? reject?.(new Error(error.message)) : resolve?.(result);
  });
  await soon(new Promise((resolve) => socket.addEventListener("open", resolve)), "Chromium's socket");
  return (method, params = {}, sessionId) =>
    soon(new Promise((resolve, reject) => {
      waiting.set(++last, [resolve, reject]);
      socket.send(JSON.stringify({ id: last, method, params, sessionId }));
    }), method);
}
