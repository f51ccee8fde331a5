import { describe, expect, it } from "vitest";
import type { Facts } from "../../../plan/found/facts";
import { change, read, type Values } from "../support/config";
import { SHOP } from "../support/shop";
import { EMPTY_HOST, hostAfter, planned } from "../support/stack";

const verbs = (values: Values, facts: Facts) =>
  planned(read(values), facts).plan.steps.map(({ verb, arguments: [, word = ""] }) =>
    `${verb} ${word}`.trim(),
  );

describe("whether a database fits its data", () => {
  const after = hostAfter(planned(read(SHOP)));
  const there = (name: string, facts: Facts): Facts => ({
    ...facts,
    volumes: [...facts.volumes, { name, stack: undefined, made: 0 }],
  });

  it("is asked before anything stops, where the data is of another stack or another image", () => {
    const adopted = change(SHOP, "database.volume", "old-data");
    const first = planned(read(adopted), there("old-data", EMPTY_HOST)).plan.steps;
    const ofDatabase = first.filter(({ arguments: [key = ""] }) => key.startsWith("database-"));
    expect(ofDatabase.slice(0, 2).map(({ verb }) => verb)).toEqual(["fits", "start"]);
    const moved = verbs(adopted, there("old-data", after));
    expect(moved.indexOf("fits .")).toBeGreaterThan(-1);
    expect(moved.indexOf("fits .")).toBeLessThan(moved.indexOf("backup"));
    const image = change(SHOP, "database.image", "postgis/postgis:17-3.5");
    expect(verbs(image, after)).toContain("fits .");
    expect(verbs(change(image, "database.version", 18), there("x", EMPTY_HOST))).not.toContain(
      "fits ./18/docker",
    );
  });

  it("is not asked of what is known, or new", () => {
    expect(verbs(SHOP, EMPTY_HOST).join()).not.toContain("fits");
    expect(verbs(change(SHOP, "database.memory", 256), after).join()).not.toContain("fits");
    expect(verbs(SHOP, after).join()).not.toContain("fits");
  });
});
