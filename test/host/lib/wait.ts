/** Tries a check every 20 ms until it holds. @throws its last failure after `seconds` */
export async function eventually(check: () => void, seconds = 10): Promise<void> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    try {
      check();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((done) => setTimeout(done, 20));
    }
  }
}

/** Works through a list with so many at once: a release mostly waits, so a few side by side take hardly longer. */
export async function atOnce<T>(
  lanes: number,
  list: readonly T[],
  work: (one: T) => Promise<void>,
): Promise<void> {
  const left = [...list];
  const lane = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await work(one);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
