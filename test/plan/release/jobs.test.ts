import { describe, expect, it } from "vitest";
import { changesOf } from "../../../plan/words/event";
import { explain } from "../../../plan/words/explain";
import { type Facts } from "../../../plan/found/facts";
import { change, read, type Values } from "../support/config";
import { SHOP } from "../support/shop";
import { EMPTY_HOST, hostAfter, planned } from "../support/stack";

const TIDY = { service: "backend", command: ["tidy"], schedule: "30 3 * * *", zone: "Europe/Moscow" };
const WITH: Values = { ...SHOP, jobs: { tidy: TIDY } };
const cron = (state: string, lackingZones: string[] = []): Facts["cron"] => ({
  state,
  why: "no",
  lackingZones,
});

const verbs = (values: Values, facts: Facts) =>
  planned(read(values), facts).plan.steps.map(({ verb, arguments: words }) => [verb, ...words].join(" "));
const host = (values: Values): Facts => ({
  ...hostAfter(planned(read(values))),
  cron: cron("same"),
});
const told = (values: Values, facts: Facts) =>
  explain(planned(read(values), facts).plan, read(values), facts);

describe("jobs in a plan", () => {
  it("are made beside what serves, started by no release, and in the crontab before it is recorded", () => {
    const { stack, plan } = planned(read(WITH));
    expect(stack.beside.map(({ spec }) => [spec.role, spec.service])).toEqual([["job", "tidy"]]);
    const [job] = stack.beside;
    expect(job?.spec).toMatchObject({
      image: "backend:1",
      memory: 160,
      networks: ["edge", "data"],
      aliases: [],
    });
    const all = verbs(WITH, EMPTY_HOST);
    expect(all.filter((verb) => verb.includes(job?.key ?? "?"))).toEqual([]);
    expect(all.indexOf("jobs")).toBe(all.indexOf("record") - 1);
    expect(plan.changes.map(({ service }) => service)).not.toContain("tidy");
  });

  it("that are as they were are nothing to do", () => {
    const facts = host(WITH);
    expect(planned(read(WITH), facts).plan).toMatchObject({ epoch: 1, drift: [] });
    expect(told(WITH, facts)).toContain(
      "job tidy: unchanged, 30 3 * * * (Europe/Moscow), in the image of backend",
    );
  });

  it.each<[what: string, path: string, value: unknown, said: string]>([
    ["another time", "jobs.tidy.schedule", "0 4 * * *", "job tidy: changed (when it runs), 0 4 * * *"],
    ["another command", "jobs.tidy.command", ["tidy", "all"], "job tidy: changed (command), 30 3"],
    ["a new one", "jobs.pack", { ...TIDY, schedule: "@daily" }, "job pack: new, @daily"],
    ["none any more", "jobs", undefined, "job tidy: removed"],
  ])("%s alone is a release, which is told, and in which no container changes", (_, path, value, said) => {
    const values = change(WITH, path, value);
    const facts = host(WITH);
    const { plan } = planned(read(values), facts);
    expect(plan.epoch).toBe(2);
    expect(plan.changes.every(({ kind }) => kind === "same")).toBe(true);
    expect(verbs(values, facts)).toContain("jobs");
    expect(told(values, facts)).toContain(said);
    expect(told(values, facts)).not.toContain("only the smoke tests");
    const name = path.split(".")[1] ?? "tidy";
    expect(changesOf(plan, facts)).toEqual([{ what: "jobs", settings: [name] }]);
  });

  it("follow the image of their service, which is no change of theirs", () => {
    const values = change(WITH, "services.backend.image", "backend:2");
    const facts = host(WITH);
    expect(told(values, facts)).toContain("job tidy: the new version of backend, 30 3");
    expect(changesOf(planned(read(values), facts).plan, facts)).not.toContainEqual(
      expect.objectContaining({ what: "jobs" }),
    );
  });

  it("whose container or lines are gone are put right", () => {
    const facts = host(WITH);
    const without = { ...facts, containers: facts.containers.filter(({ role }) => role !== "job") };
    expect(planned(read(WITH), without).plan).toMatchObject({
      epoch: 2,
      drift: [{ service: "tidy", kind: "one-off", what: "the container of the job tidy is gone" }],
    });
    expect(planned(read(WITH), { ...facts, cron: cron("other") }).plan).toMatchObject({
      epoch: 2,
      drift: [{ kind: "crontab", cure: "written again" }],
    });
  });

  it("at work in a container of an earlier release are no strays", () => {
    const facts = host(WITH);
    const old = { id: "old", key: "tidy-job-000000000000", role: "job", state: "running" };
    expect(planned(read(WITH), { ...facts, containers: [...facts.containers, old] }).plan).toMatchObject({
      epoch: 1,
      drift: [],
    });
    const ended = { ...old, state: "exited" };
    expect(planned(read(WITH), { ...facts, containers: [...facts.containers, ended] }).plan).toMatchObject({
      drift: [{ kind: "stray" }],
    });
  });

  it.each<[state: Facts["cron"], said: RegExp]>([
    [cron("none"), /^jobs: the host has no cron, .*apt-get install cron/],
    [cron("stopped"), /^jobs: cron does not run on the host .*systemctl enable --now cron/],
    [cron("denied"), /^jobs: the crontab cannot be used on the host: no /],
    [
      cron("same", ["Europe/Moscow"]),
      /^jobs\.tidy\.zone: the host knows no time zone Europe\/Moscow .*tzdata/,
    ],
  ])("are refused where cron cannot run them (%j)", (state, said) => {
    expect(planned(read(WITH), { ...EMPTY_HOST, cron: state }).plan.refusals).toEqual([
      expect.stringMatching(said),
    ]);
    expect(planned(read(SHOP), { ...EMPTY_HOST, cron: state }).plan.refusals).toEqual([]);
  });

  it("of a service that is there for them alone: its image is made, and no container of it serves", () => {
    const values: Values = {
      ...SHOP,
      services: { ...(SHOP.services as object), tools: { image: "tools:1", memory: 48, replicas: 0 } },
      jobs: { pack: { service: "tools", command: ["pack"], schedule: "@daily" } },
    };
    const { stack, plan } = planned(read(values));
    expect(stack.wanted.map(({ container }) => container.spec.service)).not.toContain("tools");
    expect(stack.beside[0]?.spec).toMatchObject({ service: "pack", image: "tools:1", memory: 48 });
    expect(plan.record.jobs?.["pack"]).toMatchObject({ image: "tools:1", service: "tools" });
    expect(Object.keys(plan.record.containers)).not.toContain("tools");
    expect(plan.retained).toContain("tools:1");
  });

  it("are told of by a container that has the token, where somebody is to be told", () => {
    const notify = { telegram: { chat: 1, token: `1:${"a".repeat(35)}` } };
    const values = { ...WITH, notify, identityKey: "0".repeat(64) };
    expect(planned(read(values)).stack.messenger?.spec.env).toMatchObject({
      TELEGRAM_TOKEN: { secret: notify.telegram.token },
    });
    expect(planned(read({ ...values, jobs: {} })).stack.messenger).toBeUndefined();
    expect(JSON.stringify(planned(read(values)).plan.record)).not.toContain("aaaaaaa");
  });
});
