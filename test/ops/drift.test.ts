import { describe, expect, it } from "vitest";
import { type DriftReport, describeDrift, renderDrift } from "../../ops/commands/drift";
import type { Facts } from "../../plan/found/facts";
import { change, LEAST, read } from "../plan/support/config";
import { EMPTY_HOST, hostAfter, planned, withStates } from "../plan/support/stack";

const config = read(LEAST);
const done = planned(config);
const host = hostAfter(done);
const report = (facts: Facts, wanted = config): DriftReport =>
  describeDrift(planned(wanted, facts).plan, facts);
const text = (facts: Facts, wanted = config) => renderDrift("shop/test on local", report(facts, wanted));

describe("drift, as ops tells it", () => {
  it("is none of a host that is as the last release left it", () => {
    expect(report(host)).toEqual({
      release: done.plan.release,
      active: undefined,
      drift: [],
      changed: false,
    });
    expect(text(host)).toBe(`shop/test on local: release ${done.plan.release}, all is as it left it`);
  });

  it("is a table of what was found and what a release does about it", () => {
    const facts = {
      ...withStates(host, { worker: "exited" }),
      interrupted: true,
      containers: [
        ...withStates(host, { worker: "exited" }).containers,
        { id: "0123456789abcdef", key: "", role: "service", state: "running" },
      ],
    };
    expect(report(facts).drift).toEqual([
      {
        service: undefined,
        kind: "interrupted",
        what: "an earlier release was interrupted",
        cure: "taken back or tidied first",
      },
      { service: "worker", kind: "stopped", what: "is exited", cure: "started again" },
      {
        service: undefined,
        kind: "stray",
        what: "the container 0123456789ab (running) is not of the release that serves",
        cure: "removed",
      },
    ]);
    expect(text(facts).replaceAll(/ +$/gm, "")).toBe(`\
shop/test on local: release ${done.plan.release}

where     found                                                                   pulumi up
the host  an earlier release was interrupted                                      taken back or tidied first
worker    is exited                                                               started again
the host  the container 0123456789ab (running) is not of the release that serves  removed`);
  });

  it("is not a config that differs from what serves; that is only mentioned", () => {
    const wanted = read(change(change(LEAST, "services.worker.memory", 80), "domain", "other.org"));
    expect(report(host, wanted)).toMatchObject({ drift: [], changed: true });
    expect(text(host, wanted)).toBe(
      `shop/test on local: release ${done.plan.release}, all is as it left it\n\n` +
        "config or sources differ from what serves: no drift, but pulumi up releases that too",
    );
    const stopped = withStates(host, { proxy: "exited" });
    expect(report(stopped, wanted)).toMatchObject({ drift: [{ service: "proxy" }], changed: true });
  });

  it("is not told while somebody deploys", () => {
    const facts = { ...withStates(host, { worker: undefined }), active: "ann@laptop", interrupted: true };
    expect(report(facts)).toMatchObject({ active: "ann@laptop", drift: [] });
    expect(text(facts)).toBe("shop/test on local: at work just now: ann@laptop");
  });

  it("is that nothing serves: whoever asks expects something to", () => {
    expect(report(EMPTY_HOST).drift).toEqual([
      { kind: "nothing", what: "no release is recorded there", cure: "a first release" },
    ]);
    expect(text(EMPTY_HOST)).toMatch(/^shop\/test on local: nothing serves\n\n/);
  });
});
