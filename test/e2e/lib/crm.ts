import { z } from "zod";
import { ask } from "./http";

const contact = z.object({ id: z.number(), name: z.string(), phone: z.string().nullable() });
export type Contact = z.infer<typeof contact>;
const list = z.object({ items: z.array(contact) });
const versioned = z.object({ version: z.string() });

/** The example CRM, used through the proxy. */
export class Crm {
  constructor(readonly port: number) {}

  async createContact(name: string): Promise<Contact> {
    const body = { name, phone: "+7 495 000-00-00" };
    return contact.parse(JSON.parse(await this.text("/api/contacts", 201, "POST", body)));
  }

  /** Contacts with the text in a field, newest first, 1,000 at most. */
  async contacts(query: string): Promise<Contact[]> {
    const path = `/api/contacts?limit=1000&q=${encodeURIComponent(query)}`;
    return list.parse(JSON.parse(await this.text(path, 200))).items;
  }

  page(): Promise<string> {
    return this.text("/", 200);
  }

  async frontendVersion(): Promise<string> {
    return versioned.parse(JSON.parse(await this.text("/version.json", 200))).version;
  }

  async backendVersion(): Promise<string> {
    return versioned.parse(JSON.parse(await this.text("/api/version", 200))).version;
  }

  private async text(path: string, status: number, method?: "POST", body?: unknown): Promise<string> {
    const answer = await ask(this.port, { path, body, ...(method === undefined ? {} : { method }) });
    if (answer.status !== status)
      throw new Error(`${path} answers ${answer.status}, not ${status}: ${answer.text}`);
    return answer.text;
  }
}
