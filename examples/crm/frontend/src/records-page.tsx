import { useEffect, useState } from "preact/hooks";
import { list } from "./api";
import { type Kind } from "./kind";
import { RecordDialog } from "./record-dialog";
import { RecordTable } from "./record-table";

const searchDelayMs = 200;

/** Lists the records of a kind, finds, adds and edits them. */
export function RecordsPage<T extends { id: number }>({ kind }: { kind: Kind<T> }) {
  const [records, setRecords] = useState<T[]>();
  const [search, setSearch] = useState("");
  const [failure, setFailure] = useState("");
  const [notice, setNotice] = useState("");
  const [open, setOpen] = useState<{ record?: T }>();
  const [reloads, setReloads] = useState(0);

  useEffect(() => {
    let current = true;
    async function load() {
      try {
        const found = await list<T>(kind.path, { q: search });
        if (!current) return;
        setRecords(found);
        setFailure("");
      } catch (error) {
        if (current) setFailure(error instanceof Error ? error.message : String(error));
      }
    }
    const timer = setTimeout(() => void load(), search === "" ? 0 : searchDelayMs);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [kind, search, reloads]);

  function saved(name: string) {
    setNotice(`Saved ${name}.`);
    setReloads(reloads + 1);
  }

  return (
    <main>
      <div class="toolbar">
        <h1>{kind.title}</h1>
        <input
          type="search"
          aria-label={`Search ${kind.title.toLowerCase()}`}
          placeholder="Search"
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
        <button type="button" class="primary" onClick={() => setOpen({})}>
          Add {kind.one}
        </button>
      </div>
      <p class="notice" role="status">
        {notice}
      </p>
      {failure !== "" && (
        <p class="alert" role="alert">
          {failure}{" "}
          <button type="button" onClick={() => setReloads(reloads + 1)}>
            Try again
          </button>
        </p>
      )}
      {records === undefined ? (
        failure === "" && <p class="empty">Loading…</p>
      ) : records.length === 0 ? (
        <p class="empty">
          {search === "" ? `No ${kind.title.toLowerCase()} yet. Add the first one.` : "Nothing found."}
        </p>
      ) : (
        <RecordTable kind={kind} records={records} onEdit={(record) => setOpen({ record })} />
      )}
      {open !== undefined && (
        <RecordDialog kind={kind} record={open.record} onSaved={saved} onClosed={() => setOpen(undefined)} />
      )}
    </main>
  );
}
