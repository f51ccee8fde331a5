import { CronExpressionParser } from "cron-parser";

/** When a job runs, as cron writes it. cron-parser reads it, so that names, steps and nicknames are as people know them. */

const SCHEDULE_RULE =
  'must be a time as cron writes it: minute, hour, day of the month, month, day of the week ("30 3 * * *" is 3:30 each ' +
  "night), or @hourly, @daily, @weekly, @monthly, @yearly";

/** @returns why it cannot be; undefined: it can */
export function scheduleProblem(text: string): string | undefined {
  const words = text.trim().split(/\s+/);
  // What cron-parser knows and cron does not: seconds, L, #, H, ?.
  const plain = /^@(hourly|daily|weekly|monthly|yearly)$/.test(text) || words.length === 5;
  if (!plain || words.slice(0, 3).some((word) => /[A-Za-z]/.test(word) && !word.startsWith("@")))
    return SCHEDULE_RULE;
  if (/[#?]/.test(text) || words.slice(3).some((word) => /(^|[^A-Za-z])[LH]([^A-Za-z]|$)/i.test(word)))
    return SCHEDULE_RULE;
  try {
    CronExpressionParser.parse(text);
    return undefined;
  } catch (error) {
    return `${SCHEDULE_RULE}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/**
 * The five fields as numbers alone, which every cron and the runner read alike: `*`, or numbers with commas; Sunday is 0. As
 * with cron, where both the day of the month and the day of the week are given, either is enough.
 */
export function plainSchedule(text: string): string {
  const { minute, hour, dayOfMonth, month, dayOfWeek } = CronExpressionParser.parse(text).fields;
  const fields: [numbers: number[], all: number][] = [
    [minute.values.map(Number), 60],
    [hour.values.map(Number), 24],
    [dayOfMonth.values.map(Number), 31],
    [month.values.map(Number), 12],
    [dayOfWeek.values.map((day) => Number(day) % 7), 7],
  ];
  return fields
    .map(([numbers, all]) => {
      const each = [...new Set(numbers)].sort((one, other) => one - other);
      return each.length === all ? "*" : each.join(",");
    })
    .join(" ");
}

/**
 * @param zone such as Europe/Moscow, or UTC+03:00
 * @param after where to begin
 */
export function nextRun(text: string, zone: string, after: Date): Date {
  return CronExpressionParser.parse(text, { tz: zone, currentDate: after }).next().toDate();
}
