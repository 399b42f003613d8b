// What checks share: an assertion that says what was seen, and a limit on patience.
export function check(holds, what, seen) {
  if (!holds) throw new Error(seen === undefined ? what : `${what}: ${JSON.stringify(seen)?.slice(0, 2_000)}`);
}

/** The promise's value; an error that names what was waited for when it takes longer. Only so that what hangs fails too: a
 * busy machine is slow. */
export function soon(promise, what, milliseconds = 180_000) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${milliseconds} ms`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
