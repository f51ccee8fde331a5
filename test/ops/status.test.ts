import { describe, expect, it } from "vitest";
import { describeStatus, renderStatus } from "../../ops/commands/status";
import { servingContainer } from "../../ops/serving";
import { LEAST, read } from "../plan/support/config";
import { EMPTY_HOST, hostAfter, planned, withStates } from "../plan/support/stack";

const done = planned(read(LEAST));
const host = hostAfter(done);
const plain = (text: string) => text.replaceAll(/\[[0-9;]*m/g, "");

describe("the status", () => {
  it("of a host where all runs is whole, a line a service", () => {
    const status = describeStatus(host);
    expect(status).toMatchObject({ release: done.plan.release, whole: true, interrupted: false });
    expect(status.services.map(({ service, state }) => [service, state]).sort()).toEqual([
      ["proxy", "running"],
      ["worker", "running"],
    ]);
    const text = plain(renderStatus("shop/test on local", status));
    expect(text).toMatch(/^shop\/test on local: release [0-9a-f]{12}\n/);
    expect(text).toMatch(/\nworker +worker-[0-9a-f]{12} +running +64 +worker:1.0 *\n/);
    expect(text).not.toContain("not all of it runs");
  });

  it("of a host where something stopped, or is gone, says so", () => {
    const status = describeStatus(withStates(host, { worker: "exited", proxy: undefined }));
    expect(status.whole).toBe(false);
    const text = plain(renderStatus("shop/test on local", status));
    expect(text).toMatch(/worker .* exited /);
    expect(text).toMatch(/proxy .* missing /);
    expect(text).toContain("not all of it runs: pulumi up puts it right");
  });

  it("is whole while somebody deploys, and is not after a run that was cut short", () => {
    const active = describeStatus({ ...host, active: "ann@laptop", interrupted: true });
    expect(active).toMatchObject({ whole: true, active: "ann@laptop", interrupted: false });
    const cut = describeStatus({ ...host, interrupted: true });
    expect(cut).toMatchObject({ whole: false, interrupted: true });
    const stopped = withStates(host, { worker: "exited" });
    expect(describeStatus({ ...stopped, active: "ann@laptop", interrupted: true }).whole).toBe(false);
  });

  it("of an empty host is that nothing serves", () => {
    const status = describeStatus(EMPTY_HOST);
    expect(status.whole).toBe(false);
    expect(renderStatus("shop/test on local", status)).toBe("shop/test on local: nothing serves yet");
  });
});

describe("the container of a service", () => {
  it("is the one that the last release recorded", () => {
    expect(servingContainer(host, "worker")).toMatchObject({ service: "worker", role: "service" });
  });

  it.each([
    ["woker", /there is no service "woker": did you mean worker\?/],
    ["billing", /there is no service "billing"; known are proxy, worker/],
  ])("is not found under %s", (name, words) => {
    expect(() => servingContainer(host, name)).toThrow(words);
  });

  it("is not there before the first release", () => {
    expect(() => servingContainer(EMPTY_HOST, "worker")).toThrow(/nothing serves yet/);
  });
});
