import type { Language } from "../config/notify";
import { isFailure, type Outcome, OUTCOMES } from "../wanted/outcomes";

/** What came of a job, for people: in a table, and in a message that the host sends by itself. */

type Words = Readonly<Record<Outcome, (code: string) => string>>;

const WORDS: Readonly<Record<Language, Words>> = {
  en: {
    done: () => "done",
    skipped: () => "skipped: the last one was at work still",
    failed: (code) => `failed: exit code ${code}`,
    timeout: () => "stopped: it took longer than its timeout",
    memory: () => "killed: it needs more memory than its limit",
    room: () => "not run: the host had too little free memory for it",
    start: () => "could not be started",
    cut: () => "broken off: the machine or its Docker was restarted",
  },
  ru: {
    done: () => "выполнена",
    skipped: () => "пропущена: предыдущий запуск ещё не закончился",
    failed: (code) => `завершилась с ошибкой: код ${code}`,
    timeout: () => "остановлена: не уложилась в отведённое время (timeout)",
    memory: () => "убита: не хватило памяти в пределах её лимита",
    room: () => "не запущена: на сервере не хватило свободной памяти",
    start: () => "не смогла запуститься",
    cut: () => "прервана: сервер или Docker перезапускался",
  },
};

export function outcomeInWords(outcome: Outcome, code: string, language: Language = "en"): string {
  return WORDS[language][outcome](code);
}

/** With @JOB, @CODE and @SECONDS for the host to fill in: numbers and names, nothing that a job has printed. */
export function jobMessages(language: Language, stack: string): Partial<Record<Outcome, string>> {
  const words =
    language === "ru"
      ? { title: "❌ задача", took: "через @SECONDS с", see: "Вывод" }
      : { title: "❌ job", took: "after @SECONDS s", see: "Its output" };
  return Object.fromEntries(
    OUTCOMES.filter(isFailure).map((outcome) => [
      outcome,
      [
        `${words.title} @JOB: ${stack}`,
        `${outcomeInWords(outcome, "@CODE", language)} (${words.took})`,
        `${words.see}: npm run ops -- jobs @JOB`,
      ].join("\n"),
    ]),
  );
}
