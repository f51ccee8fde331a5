export interface Contact {
  id: number;
  name: string;
  email: string | null;
  phone: string | null;
  company: string | null;
}

export const stages = ["lead", "offer", "won", "lost"] as const;

export interface Deal {
  id: number;
  title: string;
  contactId: number | null;
  contactName: string | null;
  /** Whole units of the currency. */
  amount: number;
  stage: (typeof stages)[number];
}

/** What the backend found wrong, in words for the person; `issues` by the field's name. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly issues: Record<string, string> = {},
  ) {
    super(message);
  }
}

interface Refusal {
  error?: string;
  issues?: { path: string; message: string }[];
}

/** @throws ApiError when the backend refuses or does not answer. */
async function call<T>(path: string, request?: RequestInit): Promise<T> {
  const response = await fetch(`/api/${path}`, request).catch(() => undefined);
  const body: unknown = await response?.json().catch(() => undefined);
  if (response === undefined || body === undefined || response.status >= 500) {
    throw new ApiError("The server did not answer as it should. Please try again in a moment.");
  }
  if (response.ok) return body as T;
  const { error = "refused", issues = [] } = body as Refusal;
  throw new ApiError(
    issues.length > 0 ? "Please correct what is marked." : `Not accepted: ${error}.`,
    Object.fromEntries(issues.map(({ path, message }) => [path, message])),
  );
}

const json = (method: string, body: unknown): RequestInit => ({
  method,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

export const list = <T>(path: string, query: { q?: string; limit?: number } = {}) => {
  const search = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
  return call<{ items: T[] }>(`${path}?${search}`).then(({ items }) => items);
};

export const create = (path: string, values: unknown) => call(path, json("POST", values));

export const edit = (path: string, id: number, values: unknown) =>
  call(`${path}/${id}`, json("PATCH", values));

export const backendVersion = () => call<{ version: string }>("version").then(({ version }) => version);
