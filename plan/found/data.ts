import type { Facts } from "./facts";
import { generation } from "./present";

/** Whether the data in a volume is not what the release that serves has left: other data, or new data. */
export function dataIsNew(facts: Facts, volume: string): boolean {
  const before = facts.current?.record.database;
  return (
    before !== undefined &&
    (before.volume !== volume || before.made !== generation(facts, `volume:${volume}`))
  );
}
