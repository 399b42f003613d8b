// Stands between a client and the server, and cuts the line: where, nobody can foresee, but the same in every run.
import { createServer, connect } from "node:net";
import { once } from "node:events";

/** Numbers that look random: xorshift. */
function numbers(state) {
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/**
 * Cuts the answers to the first `cuts` requests after 1,000 to 7,000 bytes, which is more than headers and a first
 * frame: half of them are reset, half end as if all was said. `seen` has what each asked to go on from, and the status
 * it got. Where told to, it spares the place between the last line of a frame and its blank line.
 */
export async function cutting(base, cuts, seed, spares = false) {
  const random = numbers(seed);
  const seen = [];
  const server = createServer((client) => {
    let [about, left] = [null, Infinity];
    const upstream = connect(Number(new URL(base).port), "127.0.0.1");
    const over = () => [client, upstream].forEach((socket) => socket.destroy());
    [client, upstream].forEach((socket) => socket.on("error", over).on("close", over));
    // A request; on a connection that is used again, the next one.
    client.on("data", (bytes) => {
      about = { last: /^last-event-id: *(.*)\r$/im.exec(bytes.toString())?.[1] ?? null, status: null };
      left = seen.push(about) <= cuts ? 1_000 + random(6_000) : Infinity;
      upstream.write(bytes);
    });
    upstream.on("data", (bytes) => {
      about.status ??= Number(bytes.toString("latin1").split(" ")[1]);
      if (spares && left > 0 && bytes[left - 1] === 10 && bytes[left] === 10) left += 1;
      client.write(bytes.subarray(0, left));
      left -= bytes.length;
      if (left <= 0) random(2) ? client.resetAndDestroy() : client.end();
      if (left <= 0) upstream.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { base: `http://127.0.0.1:${server.address().port}`, seen, close: () => server.close() };
}
