import type { Config } from "../config/schema";
import type { ContainerSpec } from "./container";

/**
 * Who tells of a job that failed when nobody is connected: a container that has the bot's token, so that the host has it
 * nowhere else, and that the host's cron starts with the text on its standard input.
 */

/**
 * A line of base64. It stays open behind that, for the engine does not hand on that its client has closed it. The token
 * stands in the address, so that is in a file: a command line can be read by every process of the host.
 */
const SCRIPT = `
read -r text || exit 64
printf 'url = "%s/bot%s/sendMessage"\\n' "$TELEGRAM_API" "$TELEGRAM_TOKEN" >/tmp/request
printf %s "$text" | base64 -d | curl -sS -K /tmp/request -m "$TELEGRAM_TIMEOUT" --retry 2 -o /tmp/answer -w '%{http_code}\\n' \\
  --data-urlencode "chat_id=$TELEGRAM_CHAT" --data-urlencode text@- >/tmp/code || exit 1
read -r code </tmp/code
[ "$code" = 200 ] || { echo "Telegram answers $code"; exit 1; }`;

/** @returns undefined: nobody is to be told, or there is nothing to tell of */
export function messengerSpec({ jobs, notify, proxy }: Config): ContainerSpec | undefined {
  const { telegram } = notify;
  if (telegram === undefined || Object.keys(jobs).length === 0) return undefined;
  return {
    service: "messenger",
    role: "messenger",
    // The host has it, and curl is in it.
    image: proxy.image,
    entrypoint: ["sh", "-c", SCRIPT],
    env: {
      TELEGRAM_API: { plain: telegram.api.replace(/\/+$/, "") },
      TELEGRAM_CHAT: { plain: telegram.chat },
      TELEGRAM_TOKEN: { secret: telegram.token },
      TELEGRAM_TIMEOUT: { plain: String(telegram.timeout) },
    },
    memory: 32,
    user: "101:101",
    readOnly: true,
    capabilities: [],
    newPrivileges: false,
    tmpfs: ["/tmp"],
    mounts: [],
    // The host's own: an API server of one's own may listen on 127.0.0.1 only.
    networks: [],
    aliases: [],
    ports: [],
    health: { kind: "none" },
    stopGrace: 2,
    startTimeout: 120,
  };
}
