import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "routing-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** What an undo installs, where `kept` was there before; the proxy is asked for its time by `docker`. */
function restored(kept: string, docker: string): string {
  writeFileSync(join(folder, "undo.3.routes.json"), kept);
  const script =
    `. ${join(import.meta.dirname, "../../host/verbs/routing.sh")}; ` +
    `find_proxy() { proxy=p; }; docker() { ${docker}; }; install_routes() { cat "$1"; }; step=3 run=$1; restore_routes`;
  const done = spawnSync("sh", ["-c", script, "sh", folder], { encoding: "utf8" });
  expect(done).toMatchObject({ status: 0, stderr: "" });
  return done.stdout;
}

describe("the undo of a route", () => {
  const held = (since: number) =>
    `{"live":{"web":"hold"},"candidate":{},"fallback":{"web":"web-1:80"},"since":${since}}\n`;

  it("lets who waited before wait for their full time again: by now that hold may be over since long", () => {
    expect(restored(held(100), "echo 5000")).toBe(held(5000));
  });

  it("puts back what was there where the proxy tells no time", () => {
    expect(restored(held(100), "return 1")).toBe(held(100));
  });

  it("puts back routes as they were", () => {
    const routes = '{"live":{"web":"web-1:80"},"candidate":{}}\n';
    expect(restored(routes, "exit 9")).toBe(routes);
  });
});
