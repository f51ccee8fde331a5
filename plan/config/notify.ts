import { z } from "zod";
import { between } from "./values";

/** Who is told of a deploy's end, how, and in which language. */

export const LANGUAGES = ["ru", "en"] as const;
export type Language = (typeof LANGUAGES)[number];

const THIS_MACHINE = new Set(["localhost", "127.0.0.1", "[::1]"]);

const CHAT = /^(-?[0-9]{1,20}|@[A-Za-z][A-Za-z0-9_]{3,31})$/;
const chatRule = "must be a chat's number, such as -1001234567890, or a channel's name, such as @deploys";

const telegram = z.strictObject({
  /** A person, a group or a channel that the bot may write to. */
  chat: z.union([z.int(), z.string().regex(CHAT, chatRule)], chatRule).transform(String),
  /** The bot's; a secret. It stands in the address of every request, so no error may show one. */
  token: z
    .string()
    .regex(
      /^[0-9]{1,20}:[A-Za-z0-9_-]{20,100}$/,
      "must be a bot's token as @BotFather gives it: digits, a colon and 35 characters",
    ),
  /** Of a Bot API server, without a path of its own where it is Telegram's. */
  api: z
    .string()
    .refine(isApi, {
      error:
        "must be an address such as https://api.telegram.org, without a login, ? or #. http:// is for this machine only " +
        "(http://127.0.0.1:8081): the token is a part of each request's address",
    })
    .default("https://api.telegram.org"),
  /** How long an answer is waited for. */
  timeout: between(1, 60, "seconds").default(10),
});

export const notify = z.strictObject({
  language: z.enum(LANGUAGES, "must be ru or en").default("en"),
  telegram: telegram.optional(),
});

export type Notify = z.infer<typeof notify>;
export type Telegram = NonNullable<Notify["telegram"]>;

function isApi(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, search, hash } = new URL(text);
  if ([username, password, search, hash].some((part) => part !== "") || /[?#]/.test(text)) return false;
  return protocol === "https:" || (protocol === "http:" && THIS_MACHINE.has(hostname));
}
