import { databaseImage } from "../../plan/wanted/container";
import { memoryOf } from "./limits";
import type { ComposeProject, ComposeService } from "./model";
import { undoubled } from "./values";

/** A PostgreSQL of a compose file as the stack's own. */
export interface ImportedDatabase {
  /** As compose calls it. */
  readonly name: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly user: string;
  readonly database: string;
  readonly password: string | undefined;
}

export function isDatabase({ image, environment }: ComposeService): boolean {
  const isPostgres = /(^|\/)(postgres|postgresql|postgis|pgvector|timescaledb(-ha)?)(:|@|$)/.test(
    image ?? "",
  );
  return isPostgres || (environment?.POSTGRES_PASSWORD !== undefined && /postg/.test(image ?? ""));
}

export function readDatabase(
  name: string,
  service: ComposeService,
  project: ComposeProject,
  note: (text: string) => void,
): ImportedDatabase {
  const { image = "", environment } = service;
  const user = environment?.POSTGRES_USER ?? "postgres";
  const database = environment?.POSTGRES_DB ?? user;
  const version = /:(?:.*pg)?(\d+)/.exec(image)?.[1];
  const memory = memoryOf(service, note);
  if (version === undefined) note(`database.version: ${image} does not tell PostgreSQL's version: say it`);
  const usual = version !== undefined && image === databaseImage({ version: Number(version) });
  const settings = settingsOf(service.command ?? [], note);
  note("its password is made by the stack from now on; the services get it with the rest");
  if (service.ports.length > 0) note("is not published: pulumi's stack reaches it, and ops exec database");
  return {
    name,
    user,
    database,
    password: environment?.POSTGRES_PASSWORD ?? undefined,
    values: {
      version: version === undefined ? "<PostgreSQL's major version>" : Number(version),
      ...(usual ? {} : { image }),
      memory,
      name: database,
      user,
      ...volumeOf(service, project, note),
      ...(Object.keys(settings).length === 0 ? {} : { settings }),
    },
  };
}

function volumeOf(
  { volumes }: ComposeService,
  project: ComposeProject,
  note: (text: string) => void,
): { volume?: string } {
  const data = volumes.find(({ target }) => target.startsWith("/var/lib/postgresql"));
  for (const { target } of volumes.filter((one) => one !== data))
    note(`${target} is not mounted: what it sets up has been done where there is data`);
  if (data === undefined) return {};
  if (data.type === "volume" && data.source !== undefined)
    return { volume: project.volumes[data.source]?.name ?? data.source };
  note(
    `its data lies in the folder ${data.source ?? data.target} and not in a volume: dump it (pg_dump -Fc), deploy, and restore it`,
  );
  return {};
}

/** -c name=value of its command. */
function settingsOf(command: readonly string[], note: (text: string) => void): Record<string, string> {
  const words = command.map(undoubled);
  const settings: Record<string, string> = {};
  for (let i = words[0] === "postgres" ? 1 : 0; i < words.length; i++) {
    const word = words[i] ?? "";
    const pair = /^(?:-c|--)?([A-Za-z_.]+)=(.*)$/.exec(word === "-c" ? (words[++i] ?? "") : word);
    if (pair === null) note(`${word} of its command is not taken over`);
    else settings[pair[1] ?? ""] = pair[2] ?? "";
  }
  return settings;
}
