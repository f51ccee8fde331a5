import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import type { Telegram } from "../plan/config/notify";
import { withoutSecrets } from "../plan/words/reason";

/** Seconds that Telegram may ask to be left alone for, and is then asked once more. */
const PATIENCE = 10;
/** Characters of an answer that are read: all that matters stands at its beginning. */
const ANSWER = 16_384;

const answered = z.object({
  ok: z.boolean(),
  description: z.string().optional(),
  parameters: z
    .object({ retry_after: z.number().optional(), migrate_to_chat_id: z.number().optional() })
    .optional()
    .catch(undefined),
});

/** What came back. */
interface Reply {
  readonly status: number;
  /** Undefined: it is not the Bot API that answers. */
  readonly answer: z.infer<typeof answered> | undefined;
}

/**
 * Sends a message by a bot. Never throws, and takes no longer than twice the timeout and the pause asked for in between.
 *
 * @param html plan/words/html.ts
 * @returns why nobody was told, with the cure; undefined: it was sent
 */
export async function sendTelegram(settings: Telegram, html: string): Promise<string | undefined> {
  const problem = await attempt(settings, html, true);
  // The token is a part of the address, and some servers quote that in their answers.
  return problem === undefined
    ? undefined
    : `Telegram: ${withoutSecrets(problem, tokenParts(settings.token))}`;
}

/** Its second half alone is as good as the whole, and the colon may be written otherwise. */
export function tokenParts(token: string): string[] {
  return [token, token.slice(token.indexOf(":") + 1)];
}

async function attempt(settings: Telegram, html: string, again: boolean): Promise<string | undefined> {
  let reply: Reply;
  try {
    reply = await post(settings, html);
  } catch (error) {
    return noAnswer(error, settings);
  }
  if (reply.answer?.ok === true && reply.status === 200) return undefined;
  const wait = reply.status === 429 ? reply.answer?.parameters?.retry_after : undefined;
  if (!again || wait === undefined || wait < 0 || wait > PATIENCE) return refusal(reply, wait, settings);
  await pause(wait * 1000);
  return attempt(settings, html, false);
}

async function post({ api, token, chat, timeout }: Telegram, html: string): Promise<Reply> {
  const response = await fetch(`${api.replace(/\/+$/, "")}/bot${token}/sendMessage`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      chat_id: chat,
      text: html,
      parse_mode: "HTML",
      link_preview_options: { is_disabled: true },
    }),
    // The message goes nowhere but where the config says.
    redirect: "manual",
    // Counts until the whole answer has been read.
    signal: AbortSignal.timeout(timeout * 1000),
  });
  return { status: response.status, answer: parse(await beginning(response)) };
}

/** An answer without an end must not fill this machine's memory. */
async function beginning({ body }: Response): Promise<string> {
  if (body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > ANSWER) break;
  }
  return text;
}

function parse(text: string): Reply["answer"] {
  try {
    return answered.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Never the error's own message: it may name the address. */
function noAnswer(error: unknown, { api, timeout }: Telegram): string {
  if (error instanceof Error && error.name === "TimeoutError")
    return `no answer within ${timeout} s: is ${api} reached from here? (notify.telegram.api, timeout)`;
  const code = codeOf(error);
  return `cannot reach ${api}${code === undefined ? "" : ` (${code})`}: see the network, or notify.telegram.api`;
}

function codeOf(error: unknown): string | undefined {
  const found = z
    .object({ cause: z.object({ code: z.string().regex(/^[A-Z0-9_]{1,40}$/) }) })
    .safeParse(error);
  return found.data?.cause.code;
}

function refusal({ status, answer }: Reply, wait: number | undefined, { api }: Telegram): string {
  if (answer === undefined)
    return `${api} answers ${status}, and not as Telegram does: is notify.telegram.api right?`;
  const said = (answer.description ?? `status ${status}`).replaceAll(/\s+/g, " ").slice(0, 200);
  return `${said}: ${cure(status, answer, wait)}`;
}

function cure(status: number, answer: NonNullable<Reply["answer"]>, wait: number | undefined): string {
  const moved = answer.parameters?.migrate_to_chat_id;
  if (moved !== undefined) return `set notify.telegram.chat to ${moved}`;
  switch (status) {
    case 401:
    case 404:
      return "the token is not valid: pulumi config set --secret --path notify.telegram.token";
    case 400:
    case 403:
      return "is notify.telegram.chat right, and may the bot write there? It must be a member, or have been written to";
    case 429:
      return `too many messages${wait === undefined ? "" : `, the next one may go in ${wait} s`}: this one is left out`;
    default:
      return "that is no fault of this stack; the next deploy tries again";
  }
}
