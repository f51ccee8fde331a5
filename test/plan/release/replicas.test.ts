import { describe, expect, it } from "vitest";
import { change, read, type Values } from "../support/config";
import { SHOP } from "../support/shop";
import { hostAfter, planned, verbs } from "../support/stack";

const THREE = change(SHOP, "services.frontend.replicas", 3);
const FREE = (free: number) => ({
  total: (300 + 568 + 2 * 96 + free) * 1024,
  used: 300 * 1024,
  ours: 0,
});

describe("replicas", () => {
  it("are containers of the same content with names of their own", () => {
    const { stack, plan } = planned(read(THREE));
    const frontends = stack.wanted.filter(({ container }) => container.spec.service.startsWith("frontend"));
    expect(frontends.map(({ container }) => container.key.replace(/[0-9a-f]{12}$/, "*"))).toEqual([
      "frontend-*",
      "frontend-2-*",
      "frontend-3-*",
    ]);
    expect(Object.keys(plan.record.containers)).toEqual(
      expect.arrayContaining(["frontend", "frontend.2", "frontend.3"]),
    );
    // The first one is what it was alone.
    expect(frontends[0]?.container.key).toBe(
      planned(read(SHOP)).stack.services.find(({ name }) => name === "frontend")?.container.key,
    );
  });

  it("of one that is not asked over HTTP share its name on the network", () => {
    const { stack } = planned(read(change(SHOP, "services.worker.replicas", 2)));
    const workers = stack.wanted.filter(({ container }) => container.spec.service.startsWith("worker"));
    expect(workers.map(({ container }) => container.spec.aliases)).toEqual([["worker"], ["worker"]]);
  });

  it("take requests once they are healthy, and go when fewer are wanted", () => {
    const before = planned(read(SHOP));
    const more = planned(read(THREE), hostAfter(before));
    expect(verbs(more, hostAfter(before).current)).toEqual([
      "start frontend.2'",
      "start frontend.3'",
      "healthy frontend.2'",
      "stage frontend.2 can be reached",
      "healthy frontend.3'",
      "stage frontend.3 can be reached",
      "observe 1",
      "record",
      "sweep",
    ]);
    const fewer = planned(read(SHOP), hostAfter(more));
    const routes = Object.values(fewer.plan.texts).map((text) => JSON.parse(text) as { live: Values });
    expect(Object.keys(routes.at(-1)?.live ?? {}).sort()).toEqual(["backend", "frontend"]);
    expect(verbs(fewer, hostAfter(more).current).filter((one) => one.startsWith("remove"))).toEqual([
      "remove frontend.2",
      "remove frontend.3",
    ]);
    expect(fewer.plan.changes.filter(({ kind }) => kind !== "same")).toHaveLength(2);
  });

  it("are exchanged one after the other where memory is short, and requests go to the others", () => {
    const before = planned(read(THREE));
    const next = planned(
      read(change(THREE, "services.frontend.image", "frontend:2")),
      hostAfter(before, FREE(0)),
    );
    const steps = verbs(next, hostAfter(before).current);
    expect(steps.filter((one) => /^(stop|start|healthy) frontend/.test(one))).toEqual([
      "stop frontend",
      "start frontend'",
      "healthy frontend'",
      "stop frontend.2",
      "start frontend.2'",
      "healthy frontend.2'",
      "stop frontend.3",
      "start frontend.3'",
      "healthy frontend.3'",
    ]);
    const held = Object.values(next.plan.texts).map((text) => {
      const { live } = JSON.parse(text) as { live: Record<string, string> };
      return Object.keys(live).filter((name) => live[name] === "hold");
    });
    expect(held[0]).toEqual(["frontend"]);
  });

  it.each<[setting: string, value: unknown, said: RegExp]>([
    [
      "publish",
      [{ port: 3001 }],
      /services\.worker\.replicas: only one container can have a port of the host/,
    ],
    ["volumes", [{ name: "v", path: "/v" }], /services\.worker\.replicas: only one may write to a volume/],
    ["replicas", 0, /services\.worker\.replicas/],
  ])("with %s are refused", (setting, value, said) => {
    const values = change(change(SHOP, "services.worker.replicas", 2), `services.worker.${setting}`, value);
    expect(() => read(values)).toThrow(said);
  });
});
