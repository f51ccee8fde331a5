import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LANGUAGES } from "../../../plan/config/notify";
import { isSettled } from "../../../plan/release/plan";
import { changesOf, type Event, servesOf } from "../../../plan/words/event";
import { LIMIT, toHtml } from "../../../plan/words/html";
import { describeEvent } from "../../../plan/words/message";
import { reasonOf } from "../../../plan/words/reason";
import { change, LEAST, read, type Values } from "../support/config";
import { EMPTY_HOST, hostAfter, planned } from "../support/stack";

// The same cases on every run.
fc.configureGlobal({ seed: 2010 });

const EVENT: Event = {
  kind: "success",
  project: "shop",
  stack: "prod",
  by: "ada@laptop",
  seconds: 75.4,
  release: "12",
  changes: [
    { service: "web", what: "source", settings: [] },
    { service: "database", what: "settings", settings: ["memory", "the database's password"] },
    {
      service: "worker",
      what: "settings",
      settings: ["secret TOKEN", "env.A", "env.B", "env.C", "env.D", "env.E"],
    },
    { service: "old", what: "remove", settings: [] },
  ],
  serves: { web: "web-1a2b", database: "postgres:17-bookworm" },
};

describe("the words for an event", () => {
  it("tell what visitors met, in either language", () => {
    const met = {
      visitors: 345,
      failed: 2,
      held: 20,
      heldFor: 1.5,
      gap: 0.3,
      memory: { most: 712, total: 973 },
    };
    const line = (event: Event, language: "en" | "ru") =>
      describeEvent(event, language).sections.at(-1)?.lines;
    expect(line({ ...EVENT, met }, "en")).toEqual([
      "345 requests, 2 failed, 20 waited for at most 1.5 s, longest gap 0.3 s, memory at most 712 of 973 MiB",
    ]);
    expect(line({ ...EVENT, met }, "ru")).toEqual([
      "запросов: 345, с ошибкой: 2, ждали: 20, не дольше 1.5 с, самый долгий перерыв: 0.3 с, память: не больше 712 из 973 МиБ",
    ]);
    const quiet = { ...met, failed: 0, held: 0, gap: undefined, memory: undefined };
    expect(line({ ...EVENT, met: quiet }, "en")).toEqual(["345 requests, none failed"]);
  });

  it("in English", () => {
    expect(toHtml(describeEvent(EVENT, "en"))).toBe(
      [
        "<b>✅ deployed: shop/prod</b>",
        "ada@laptop, 1 min 15 s, release 12",
        "",
        "<b>Changed</b>",
        "• web: new version",
        "• database: other settings (memory, the database's password)",
        "• worker: other settings (secret TOKEN, env.A, env.B, env.C, env.D, and 1 more)",
        "• old: removed",
        "",
        "<b>Serves now</b>",
        "• web: web-1a2b",
        "• database: postgres:17-bookworm",
      ].join("\n"),
    );
  });

  it("in Russian", () => {
    expect(toHtml(describeEvent(EVENT, "ru"))).toBe(
      [
        "<b>✅ развёрнуто: shop/prod</b>",
        "ada@laptop, 1 мин 15 с, релиз 12",
        "",
        "<b>Изменилось</b>",
        "• web: новая версия",
        "• database: другие настройки (memory, пароль базы данных)",
        "• worker: другие настройки (секрет TOKEN, env.A, env.B, env.C, env.D, и ещё 1)",
        "• old: убран",
        "",
        "<b>Сейчас работает</b>",
        "• web: web-1a2b",
        "• database: postgres:17-bookworm",
      ].join("\n"),
    );
  });

  it("with the number that the ledger gave it, and the one that it goes back to", () => {
    const event: Event = { ...EVENT, kind: "rollback", release: "1a2b", number: 8, backTo: 3 };
    expect(describeEvent(event, "en").about).toBe(
      "ada@laptop, 1 min 15 s, release 8 (1a2b), back to release 3",
    );
    expect(describeEvent(event, "ru").about).toBe(
      "ada@laptop, 1 мин 15 с, релиз 8 (1a2b), возврат к релизу 3",
    );
  });

  it("of a failure: why, and what serves all the same", () => {
    const failure: Event = { ...EVENT, kind: "failure", seconds: 3, reason: "FAILED: smoke <b> & more" };
    const changes = [{ service: "web", what: "source", settings: [] }] as const;
    expect(toHtml(describeEvent({ ...failure, changes }, "en"))).toBe(
      [
        "<b>❌ deploy failed: shop/prod</b>",
        "ada@laptop, 3 s, release 12",
        "",
        "<b>Was to change</b>",
        "• web: new version",
        "",
        "<b>Serves now</b>",
        "• web: web-1a2b",
        "• database: postgres:17-bookworm",
        "",
        "<pre>FAILED: smoke &lt;b&gt; &amp; more</pre>",
      ].join("\n"),
    );
    expect(toHtml(describeEvent({ ...failure, changes, serves: "unknown" }, "ru"))).toContain(
      "Сейчас работает</b>\n• неизвестно: сервер не ответил",
    );
    expect(toHtml(describeEvent({ ...failure, changes, serves: {} }, "en"))).toContain("• nothing yet");
  });

  it("of a run that came to no plan: only why", () => {
    const { project, stack, by, seconds } = EVENT;
    const event: Event = { kind: "failure", project, stack, by, seconds, reason: "1 thing is wrong" };
    expect(toHtml(describeEvent(event, "ru"))).toBe(
      "<b>❌ развернуть не удалось: shop/prod</b>\nada@laptop, 1 мин 15 с\n\n<pre>1 thing is wrong</pre>",
    );
  });

  it("of a rollback", () => {
    const title = (language: "ru" | "en") => describeEvent({ ...EVENT, kind: "rollback" }, language).title;
    expect([title("en"), title("ru")]).toEqual(["↩️ rolled back: shop/prod", "↩️ откат: shop/prod"]);
  });
});

describe("the HTML of a message", () => {
  const text = fc.string({ unit: "binary", maxLength: 6000 });
  const marked = fc.oneof(text, fc.stringMatching(/^[&<>"'\u{1f600}\n a-f]{0,5000}$/u));
  const line = fc.string({ unit: "binary", maxLength: 400 });
  const event = fc.record({
    kind: fc.constantFrom<Event["kind"]>("success", "failure", "rollback"),
    project: line,
    stack: line,
    by: line,
    seconds: fc.nat(100_000),
    release: fc.option(line, { nil: undefined }),
    changes: fc.array(
      fc.record({
        service: line,
        what: fc.constantFrom<"new" | "settings">("new", "settings"),
        settings: fc.array(line, { maxLength: 10 }),
      }),
      { maxLength: 60 },
    ),
    serves: fc.dictionary(line, line, { maxKeys: 60 }),
    reason: fc.option(marked, { nil: undefined }),
  });

  it("is never too long, and whole however it was cut", () => {
    fc.assert(
      fc.property(event, fc.constantFrom(...LANGUAGES), (one, language) => {
        const html = toHtml(describeEvent(one, language));
        expect(html.length).toBeLessThanOrEqual(LIMIT);
        const inner = html.replaceAll(/<\/?(b|pre)>/g, "");
        expect(inner).not.toMatch(/[<>]/);
        expect(inner.replaceAll(/&(amp|lt|gt);/g, "")).not.toContain("&");
        expect(html).not.toMatch(/\p{Surrogate}/u);
        for (const tag of ["b", "pre"])
          expect(html.split(`<${tag}>`).length).toBe(html.split(`</${tag}>`).length);
      }),
      { numRuns: 300 },
    );
  });

  it("says what it was given, where that is short", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z&<>"'é\u{1f600}]{1,100}$/u), (reason) => {
        const html = toHtml(describeEvent({ ...EVENT, kind: "failure", reason }, "en"));
        const [, quoted = ""] = /<pre>(.*)<\/pre>/su.exec(html) ?? [];
        const read = quoted.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
        expect(read).toBe(reason);
      }),
    );
  });

  it("keeps the end of a long reason, and counts the services that it leaves out", () => {
    const serves = Object.fromEntries(Array.from({ length: 90 }, (_, i) => [`service-${i}`, "x".repeat(40)]));
    const html = toHtml(
      describeEvent({ ...EVENT, kind: "failure", serves, reason: `${"&".repeat(5000)}\nthe end` }, "en"),
    );
    expect(html).toMatch(/^… \+\d+$/m);
    expect(html).toMatch(/<pre>…(&amp;)+\nthe end<\/pre>$/);
    expect(html.length).toBeGreaterThan(LIMIT - 10);
  });
});

describe("the reason of a failure", () => {
  it("is the last lines that tell something, without what the runner quotes", () => {
    const error = [
      'release-1a2b: exit status 1: running "f=$(mktemp) && cat >\\"$f\\"":',
      "web-1a2b started (0.7 s)",
      "GET / answers 500",
      "    | <html>",
      "  last lines of web-1a2b:",
      "    | TypeError: secret",
      "\u001b[31mFAILED\u001b[0m: smoke candidate",
      "",
    ].join("\n");
    expect(reasonOf(error).split("\n")).toEqual([
      "web-1a2b started (0.7 s)",
      "GET / answers 500",
      "FAILED: smoke candidate",
    ]);
    const long = reasonOf(Array.from({ length: 100 }, (_, i) => `line ${i}`).join("\n"));
    expect([long.split("\n").length, long.split("\n").at(-1)]).toEqual([12, "line 99"]);
    expect(reasonOf('a: signal: killed: running "a":\nb')).toBe("b");
    expect(reasonOf('claim: exit status 7: running "a"')).toBe("claim: exit status 7");
  });

  it("holds no secret", () => {
    const text = "token 123:abcdef; postgres://app:Gl5fT0@database/app; line one\nline two";
    expect(reasonOf(text, ["123:abcdef", "abcdef", "line one\nline two", "a", ""])).toBe(
      "token ***; postgres://app:***@database/app; ***",
    );
  });
});

describe("an event's facts", () => {
  const WEB: Values = {
    ...LEAST,
    services: {
      web: { image: "web:1", port: 3000, route: "/", health: "/health", memory: 64, env: { LEVEL: "info" } },
      worker: { image: "worker:1", memory: 64 },
    },
  };
  const before = planned(read(WEB));
  const host = hostAfter(before);
  const changed = (values: Values) => {
    const { plan } = planned(read(values), host);
    return { changes: changesOf(plan, host), settled: isSettled(plan, host) };
  };

  it("are what each service's release changes", () => {
    expect(changesOf(before.plan, EMPTY_HOST).map(({ service, what }) => [service, what])).toEqual([
      ["proxy", "new"],
      ["web", "new"],
      ["worker", "new"],
    ]);
    expect(changed(change(WEB, "services.web.env.LEVEL", "debug"))).toEqual({
      changes: [{ service: "web", what: "settings", settings: ["env.LEVEL"] }],
      settled: false,
    });
    expect(changed(change(WEB, "services.worker", undefined)).changes).toEqual([
      { service: "worker", what: "remove", settings: [] },
    ]);
    expect(changed(change(WEB, "proxy.maxBody", 5)).changes).toEqual([{ what: "site", settings: [] }]);
    expect(changed(change(WEB, "smoke", [{ path: "/" }])).changes).toEqual([{ what: "tests", settings: [] }]);
    expect(servesOf(before.plan.record)).toEqual({ web: "web:1", worker: "worker:1" });
  });

  it("are none when there is nothing to do", () => {
    expect(changed(WEB)).toEqual({ changes: [], settled: true });
  });
});
