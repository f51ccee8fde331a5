import { RESERVED_NAMES } from "../../plan/config/schema";

/** What services are called here: compose allows more, and the stack uses some names itself. */
export class Names {
  private readonly names = new Map<string, string>();

  /** @param kept the services that stay services */
  constructor(readonly kept: readonly string[]) {
    const taken = new Set<string>();
    for (const name of kept) {
      const wish = Names.plain(name);
      const free = (RESERVED_NAMES as readonly string[]).includes(wish) ? `${wish}-service` : wish;
      let chosen = free;
      for (let i = 2; taken.has(chosen); i++) chosen = `${free}-${i}`;
      taken.add(chosen);
      this.names.set(name, chosen);
    }
  }

  static plain(name: string): string {
    const letters = name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
    return (
      letters
        .replace(/^[^a-z]+/, "")
        .slice(0, 40)
        .replace(/-+$/, "") || "service"
    );
  }

  of(name: string): string {
    const found = this.names.get(name);
    if (found === undefined) throw new Error(`no service ${name}`);
    return found;
  }

  /** The same text with the names of hosts as they are here. */
  translated(text: string): string {
    return this.kept.reduce((whole, name) => {
      const here = this.of(name);
      if (here === name) return whole;
      const host = new RegExp(`(^|//|@|,)${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?=$|[:/,])`, "g");
      return whole.replace(host, `$1${here}`);
    }, text);
  }
}
