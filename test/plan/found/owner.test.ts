import { describe, expect, it } from "vitest";
import { parseFacts } from "../../../plan/found/answer";
import type { Facts } from "../../../plan/found/facts";
import { machineProblem, ownerProblem } from "../../../plan/found/owner";
import { change, LEAST, read } from "../support/config";
import { EMPTY_HOST, LINEAGE, NAMES } from "../support/stack";

// Whose host it is, from what the host tells and what the state remembers.

const HOST = read(
  change(LEAST, "host", { address: "ssh://root@vps.example.org:2222", hostKey: "ssh-ed25519 AAAA" }),
).host;
const ANN = { by: "ann@laptop", since: "2026-11-23 03:00:00 UTC" };
const owned = (more: Partial<NonNullable<Facts["owner"]>> = {}): Facts => ({
  ...EMPTY_HOST,
  machine: "aaaaaaaaaaaa",
  owner: { stack: "shop/test", lineage: LINEAGE, machine: "aaaaaaaaaaaa", ...ANN, ...more },
});

describe("the owner", () => {
  it("is nobody, or this state: no problem", () => {
    for (const lineage of [undefined, LINEAGE]) {
      expect(ownerProblem(NAMES, HOST, EMPTY_HOST, lineage)).toBeUndefined();
    }
    expect(ownerProblem(NAMES, HOST, owned(), LINEAGE)).toBeUndefined();
  });

  it.each([["another"], [undefined]])(
    "is another state than %s: who, since when, and what to type",
    (lineage) => {
      expect(ownerProblem(NAMES, HOST, owned(), lineage)?.split("\n")).toEqual([
        "the stack shop/test there belongs to another state, deployed first by ann@laptop, 2026-11-23 03:00:00 UTC.",
        "  Deploy with that state: pulumi login <where it is kept>, pulumi stack select test.",
        "  Or bring it here: docs/failures.md, Moving.",
        "  If it is lost, clear the host: this removes the stack's containers and images, and keeps its data volumes and dumps.",
        '    ssh ssh://root@vps.example.org:2222 "sh /var/lib/shop/test/script teardown"',
        "  Then 'pulumi up' brings the site back with its data; until it is done the site is away.",
      ]);
    },
  );

  it("is another project with the same folder: it needs another folder", () => {
    const host = { ...HOST, stateDir: "/srv/deploy" };
    expect(ownerProblem(NAMES, host, owned({ stack: "blog/test", lineage: "another" }), LINEAGE)).toBe(
      "its folder /srv/deploy/test belongs to blog/test, deployed first by ann@laptop, 2026-11-23 03:00:00 UTC: " +
        "set another host.stateDir",
    );
  });
});

describe("the machine", () => {
  it("is the one that was deployed to, or none is known: no problem", () => {
    for (const remembered of ["aaaaaaaaaaaa", undefined]) {
      expect(machineProblem(NAMES, HOST, owned(), remembered)).toBeUndefined();
    }
    expect(machineProblem(NAMES, HOST, EMPTY_HOST, "aaaaaaaaaaaa")).toBeUndefined();
  });

  it("is a new one: the cures, by what has happened to the old one", () => {
    const facts = { ...EMPTY_HOST, machine: "bbbbbbbbbbbb" };
    const problem = machineProblem(NAMES, HOST, facts, "aaaaaaaaaaaa") ?? "";
    expect(problem.split("\n")[0]).toBe(
      "this state has deployed shop/test to another machine (aaaaaaaaaaaa) than the one that answers now (bbbbbbbbbbbb).",
    );
    expect(problem).toContain("correct host.address");
    expect(problem).toContain("'pulumi destroy'");
    expect(problem).toContain("'pulumi state delete --all'");
    expect(problem).not.toContain("sed");
  });

  it("has this state's folder under another machine's name: what to type if it is the same server", () => {
    const facts = { ...owned(), machine: "bbbbbbbbbbbb" };
    expect(machineProblem(NAMES, HOST, facts, "aaaaaaaaaaaa")?.split("\n").at(-1)).toBe(
      `    ssh ssh://root@vps.example.org:2222 "sed -i 's/^machine .*/machine bbbbbbbbbbbb/' /var/lib/shop/test/owner"`,
    );
    // And when it has been typed:
    const told = owned({ machine: "bbbbbbbbbbbb" });
    expect(machineProblem(NAMES, HOST, { ...told, machine: "bbbbbbbbbbbb" }, "aaaaaaaaaaaa")).toBeUndefined();
  });
});

describe("what a host tells of its owner", () => {
  it("is read as it was written", () => {
    const told = parseFacts(
      [
        "engine linux/amd64 20.10.24",
        "ours 0",
        "machine aaaaaaaaaaaa",
        "volume shop-test-files 2 shop/test",
        "volume anonymous 0 ",
        "mounts running shop/test shop-test-files,/etc/my certificates",
        "mounts exited  ",
        "owner stack shop/test",
        `owner lineage ${LINEAGE}`,
        "owner machine aaaaaaaaaaaa",
        "owner by ann@laptop",
        "owner since 2026-11-23 03:00:00 UTC",
        "end",
      ].join("\n"),
    );
    const { machine, owner } = owned();
    expect(told).toMatchObject({ machine, owner });
    expect(told.volumes).toEqual([
      { name: "shop-test-files", stack: "shop/test", made: 2 },
      { name: "anonymous", stack: undefined, made: 0 },
    ]);
    expect(told.mounts).toEqual([
      { state: "running", stack: "shop/test", sources: ["shop-test-files", "/etc/my certificates"] },
      { state: "exited", stack: undefined, sources: [""] },
    ]);
  });

  it("may be nothing: an older host, or one without any ID", () => {
    const told = parseFacts("engine linux/amd64 20\nours 0\nmachine \nend");
    expect(told).toMatchObject({ machine: undefined, owner: undefined, volumes: [], mounts: [] });
  });
});
