/**
 * What nginx itself answers, and when: a page for people, a line of JSON for a program that accepts only that. None of
 * them touches the request's body.
 *
 * | status | means                                                                  | may be sent again |
 * | 503    | nothing serves: the request has reached no service                     | yes: Retry-After  |
 * | 502    | the service took the request and broke off                             | only by whoever knows what it did |
 * | 504    | the service took the request and has not answered within proxy.timeout | the same          |
 * | 413    | the body is larger than proxy.maxBody                                  | no                |
 */
interface Page {
  readonly status: number;
  readonly title: string;
  readonly text: string;
  readonly error: string;
}

const AWAY: Page = {
  status: 503,
  title: "Back in a moment",
  text: "This page is being updated. Please try again in a moment.",
  error: "unavailable",
};
const FAILED: Page = {
  status: 502,
  title: "That did not work",
  text: "The server broke off before it answered. Please look whether it was done before you try again.",
  error: "no answer",
};
const LATE: Page = {
  status: 504,
  title: "No answer in time",
  text: "The server has not answered in time. Please look whether it was done before you try again.",
  error: "no answer in time",
};
const TOO_LARGE: Page = {
  status: 413,
  title: "Too large",
  text: "What was sent is larger than this site accepts.",
  error: "too large",
};

/** For the block http: the texts, by what the request accepts. $reached is empty when no service was connected to. */
export function errorPages(): string {
  return `
  map $http_accept $answer_as { default html; ~*text/html html; ~*application/([a-z0-9.-]+\\+)?json json; }
  map $answer_as $answer_type { default "text/html; charset=utf-8"; json application/json; }
  map $upstream_connect_time $reached { default ""; ~^[0-9] yes; }
${[AWAY, FAILED, LATE, TOO_LARGE].map(texts).join("")}`;
}

function texts({ status, title, text, error }: Page): string {
  const html = `<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><h1>${title}</h1><p>${text}</p>`;
  const quoted = (answer: string) => `"${answer.replaceAll('"', '\\"')}\\n"`;
  return `  map $answer_as $answer_${status} { default ${quoted(html)}; json ${quoted(JSON.stringify({ error, message: text }))}; }\n`;
}

/** For each server, and each location with an error_page of its own. 597 is ours: there is nothing to send it to. */
export const ON_ERROR = `error_page 413 = @too_large;
    error_page 502 = @failed;
    error_page 504 = @late;
    error_page 597 = @unavailable;`;

/**
 * For each server.
 *
 * @param always a header of each response of this server
 */
export function errorLocations(always: string): string {
  const first = always === "" ? "" : `${always} `;
  return [
    location("@unavailable", AWAY, `${first}add_header Retry-After 5 always; `),
    location("@failed", FAILED, `${first}if ($reached = "") { return 597; } `),
    location("@late", LATE, `${first}if ($reached = "") { return 597; } `),
    location("@too_large", TOO_LARGE, first),
  ].join("");
}

function location(name: string, { status }: Page, first: string): string {
  return `    location ${name} { default_type ""; add_header Content-Type $answer_type always; add_header Cache-Control no-store always; ${first}return ${status} $answer_${status}; }\n`;
}
