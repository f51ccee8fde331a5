import { describe, expect, it } from "vitest";
import { readNotify } from "../../../plan/config/read";
import { asPulumi, change, LEAST, problemsOf, read } from "../support/config";

const TOKEN = `123456:${"Aa0_-".repeat(7)}`;
const TOLD = { ...LEAST, notify: { telegram: { chat: -1001234567890, token: TOKEN } } };

describe("who is told", () => {
  it("is nobody unless the config says so", () => {
    expect(read(LEAST).notify).toEqual({ language: "en" });
  });

  it("has every default, and a chat is a text", () => {
    expect(read(TOLD).notify).toEqual({
      language: "en",
      telegram: { chat: "-1001234567890", token: TOKEN, api: "https://api.telegram.org", timeout: 10 },
    });
  });

  it.each<[path: string, value: unknown]>([
    ["notify.language", "ru"],
    ["notify.telegram.chat", "@deploys"],
    ["notify.telegram.chat", "-1001234567890"],
    ["notify.telegram.chat", 42],
    ["notify.telegram.api", "https://proxy.example.org/telegram"],
    ["notify.telegram.api", "http://127.0.0.1:8081"],
    ["notify.telegram.api", "http://localhost:8081/"],
    ["notify.telegram.api", "http://[::1]:8081"],
    ["notify.telegram.timeout", 60],
  ])("%s: %j is accepted", (path, value) => {
    expect(problemsOf(change(TOLD, path, value))).toEqual([]);
  });

  const chatRule =
    "notify.telegram.chat: must be a chat's number, such as -1001234567890, or a channel's name, such as @deploys";
  const tokenRule =
    "notify.telegram.token: must be a bot's token as @BotFather gives it: digits, a colon and 35 characters";
  const apiRule =
    "notify.telegram.api: must be an address such as https://api.telegram.org, without a login, ? or #. http:// is for " +
    "this machine only (http://127.0.0.1:8081): the token is a part of each request's address";

  it.each<[path: string, value: unknown, problem: string]>([
    ["notify", "telegram", "notify: must be a group of settings, is a text"],
    ["notify.language", "de", "notify.language: must be ru or en"],
    ["notify.telegram", "@deploys", "notify.telegram: must be a group of settings, is a text"],
    ["notify.telegran", {}, "notify.telegran: is not a setting: did you mean telegram?"],
    ["notify.telegram.chat", undefined, "notify.telegram.chat: is missing"],
    ["notify.telegram.chat", "deploys", chatRule],
    ["notify.telegram.chat", "", chatRule],
    ["notify.telegram.chat", 1.5, chatRule],
    ["notify.telegram.chat", "@a b", chatRule],
    [
      "notify.telegram.token",
      undefined,
      "notify.telegram.token: is missing: pulumi config set --secret --path notify.telegram.token",
    ],
    ["notify.telegram.token", "", tokenRule],
    ["notify.telegram.token", `${TOKEN}\n`, tokenRule],
    ["notify.telegram.token", `bot${TOKEN}`, tokenRule],
    ["notify.telegram.token", `${TOKEN}/../x`, tokenRule],
    ["notify.telegram.token", `<${TOKEN}>`, "notify.telegram.token: is still a placeholder"],
    ["notify.telegram.api", "api.telegram.org", apiRule],
    ["notify.telegram.api", "http://api.telegram.org", apiRule],
    ["notify.telegram.api", "http://10.0.0.5:8081", apiRule],
    ["notify.telegram.api", "https://user:password@example.org", apiRule],
    ["notify.telegram.api", "https://example.org/?a=1", apiRule],
    ["notify.telegram.api", "https://example.org/#", apiRule],
    ["notify.telegram.api", "file:///etc/passwd", apiRule],
    ["notify.telegram.timeout", 0, "notify.telegram.timeout: must be 1-60 seconds, is 0"],
    ["notify.telegram.timeout", "10", 'notify.telegram.timeout: must be 1-60 seconds, is the text "10"'],
  ])("%s: %j is refused", (path, value, problem) => {
    const problems = problemsOf(change(TOLD, path, value));
    expect(problems).toEqual([problem]);
    if (path.endsWith("token")) expect(problems.join()).not.toContain(TOKEN.slice(7));
  });

  it("is known although another setting is wrong, and nobody when this one is", () => {
    const broken = asPulumi(change(TOLD, "services", "none"));
    expect(readNotify(broken).telegram?.token).toBe(TOKEN);
    expect(readNotify(asPulumi(change(TOLD, "notify.telegram.chat", "x"))).telegram).toBeUndefined();
    expect(readNotify({ notify: "{" }).telegram).toBeUndefined();
    expect(readNotify({}).telegram).toBeUndefined();
  });
});
