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
