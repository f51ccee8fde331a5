import type { Language } from "../config/notify";
import type { MetInShort } from "../found/met";
import type { Changed, Event } from "./event";

/** An event in words, still without any markup: a chat and a log show the same in their own ways. */
export interface Message {
  readonly title: string;
  /** Who, how long, which release. */
  readonly about: string;
  readonly sections: readonly { readonly heading: string; readonly lines: readonly string[] }[];
  /** As the program said it. */
  readonly quote: string | undefined;
}

export function describeEvent(event: Event, language: Language): Message {
  const words = WORDS[language];
  const { kind, by, seconds, release, number, backTo, changes = [], serves, met, reason } = event;
  const failed = kind === "failure";
  const about = [
    by,
    words.duration(Math.round(seconds)),
    ...(release === undefined
      ? []
      : [words.release(number === undefined ? release : `${number} (${release})`)]),
    ...(backTo === undefined ? [] : [words.backTo(backTo)]),
  ];
  const sections = [
    {
      heading: failed ? words.wanted : words.changed,
      lines: changes.map((change) => changeLine(change, words)),
    },
    { heading: words.serves, lines: serveLines(serves, words) },
    { heading: words.met, lines: met === undefined ? [] : [metLine(met, words)] },
  ];
  return {
    title: `${words.title[kind]}: ${event.project}/${event.stack}`,
    about: about.join(", "),
    sections: sections.filter(({ lines }) => lines.length > 0),
    quote: reason,
  };
}

function changeLine({ service, what, settings }: Changed, words: Words): string {
  const told = settings.map((setting) => words.setting(setting));
  const named = told.length > 5 ? [...told.slice(0, 5), words.more(told.length - 5)] : told;
  const text = named.length === 0 ? words.what[what] : `${words.what[what]} (${named.join(", ")})`;
  return service === undefined ? text : `${service}: ${text}`;
}

function serveLines(serves: Event["serves"], words: Words): string[] {
  if (serves === undefined) return [];
  if (serves === "unknown") return [words.unknown];
  const lines = Object.entries(serves).map(([service, version]) => `${service}: ${version}`);
  return lines.length === 0 ? [words.nothing] : lines;
}

/** As plan/found/met.ts reads it from the runner's last words. */
function metLine({ visitors, failed, held, heldFor, gap, memory }: MetInShort, words: Words): string {
  return [
    words.requests(visitors, failed),
    ...(held === 0 ? [] : [words.held(held, heldFor)]),
    ...(gap === undefined ? [] : [words.gap(gap)]),
    ...(memory === undefined ? [] : [words.memory(memory.most, memory.total)]),
  ].join(", ");
}

interface Words {
  readonly title: Readonly<Record<Event["kind"], string>>;
  readonly duration: (seconds: number) => string;
  readonly release: (label: string) => string;
  readonly backTo: (number: number) => string;
  readonly changed: string;
  /** Of a failure: what should have changed. */
  readonly wanted: string;
  readonly serves: string;
  readonly nothing: string;
  readonly unknown: string;
  readonly met: string;
  readonly requests: (count: number, failed: number) => string;
  /** Seconds. */
  readonly held: (count: number, most: number) => string;
  readonly gap: (most: number) => string;
  /** MiB. */
  readonly memory: (most: number, total: number) => string;
  readonly what: Readonly<Record<Changed["what"], string>>;
  /** A setting has the same name in each language; a few things are no settings. */
  readonly setting: (name: string) => string;
  readonly more: (count: number) => string;
}

const WORDS: Readonly<Record<Language, Words>> = {
  en: {
    title: { success: "✅ deployed", failure: "❌ deploy failed", rollback: "↩️ rolled back" },
    duration: (seconds) => inUnits(seconds, "min", "s"),
    release: (label) => `release ${label}`,
    backTo: (number) => `back to release ${number}`,
    changed: "Changed",
    wanted: "Was to change",
    serves: "Serves now",
    nothing: "nothing yet",
    met: "Visitors met",
    requests: (count, failed) => `${count} requests, ${failed === 0 ? "none" : failed} failed`,
    held: (count, most) => `${count} waited for at most ${most} s`,
    gap: (most) => `longest gap ${most} s`,
    memory: (most, total) => `memory at most ${most} of ${total} MiB`,
    unknown: "not known: the host did not answer; see npm run ops -- status",
    what: {
      new: "new",
      source: "new version",
      settings: "other settings",
      repair: "put right",
      remove: "removed",
      jobs: "jobs",
      site: "the site's own configuration",
      tests: "only smoke tests or a migration",
    },
    setting: (name) => name,
    more: (count) => `and ${count} more`,
  },
  ru: {
    title: { success: "✅ развёрнуто", failure: "❌ развернуть не удалось", rollback: "↩️ откат" },
    duration: (seconds) => inUnits(seconds, "мин", "с"),
    release: (label) => `релиз ${label}`,
    backTo: (number) => `возврат к релизу ${number}`,
    changed: "Изменилось",
    wanted: "Должно было измениться",
    serves: "Сейчас работает",
    nothing: "пока ничего",
    met: "Что заметили посетители",
    requests: (count, failed) => `запросов: ${count}, с ошибкой: ${failed}`,
    held: (count, most) => `ждали: ${count}, не дольше ${most} с`,
    gap: (most) => `самый долгий перерыв: ${most} с`,
    memory: (most, total) => `память: не больше ${most} из ${total} МиБ`,
    unknown: "неизвестно: сервер не ответил; посмотрите npm run ops -- status",
    what: {
      new: "новый сервис",
      source: "новая версия",
      settings: "другие настройки",
      repair: "приведён в порядок",
      remove: "убран",
      jobs: "задачи по расписанию",
      site: "настройки самого сайта",
      tests: "только проверки или миграция",
    },
    setting: (name) =>
      name
        .replace(/^secret /, "секрет ")
        .replace("the database's password", "пароль базы данных")
        .replace(/^defaults$/, "умолчания программы"),
    more: (count) => `и ещё ${count}`,
  },
};

function inUnits(seconds: number, minute: string, second: string): string {
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds} ${second}` : `${minutes} ${minute} ${seconds % 60} ${second}`;
}
