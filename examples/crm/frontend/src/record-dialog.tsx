import { type TargetedSubmitEvent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, create, edit } from "./api";
import { type Kind } from "./kind";
import { RecordField } from "./record-field";

interface Props<T> {
  kind: Kind<T>;
  /** The record to edit; a new one is added if absent. */
  record?: T;
  onSaved: (name: string) => void;
  onClosed: () => void;
}

export function RecordDialog<T extends { id: number }>({ kind, record, onSaved, onClosed }: Props<T>) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [problem, setProblem] = useState<ApiError>();
  const [saving, setSaving] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);
  // Closed by the browser, which gives the focus back to the button that opened it; only then removed.
  const close = () => dialog.current?.close();

  async function save(event: TargetedSubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const values = Object.fromEntries(
      kind.fields.map(({ name, parse = String }) => [name, parse(String(form.get(name) ?? ""))]),
    );
    setSaving(true);
    setProblem(undefined);
    try {
      await (record === undefined ? create(kind.path, values) : edit(kind.path, record.id, values));
      onSaved(String(form.get(kind.fields[0]?.name ?? "")));
      close();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error);
      setSaving(false);
    }
  }

  const title = record === undefined ? `Add a ${kind.one}` : `Edit ${kind.nameOf(record)}`;
  const before = (record ?? {}) as Record<string, unknown>;
  return (
    <dialog ref={dialog} aria-labelledby="dialog-title" onClose={onClosed}>
      <form onSubmit={(event) => void save(event)}>
        <h2 id="dialog-title">{title}</h2>
        {problem !== undefined && (
          <p class="alert" role="alert">
            {problem.message}
          </p>
        )}
        {kind.fields.map((field) => (
          <RecordField
            key={field.name}
            field={field}
            value={String(before[field.name] ?? "")}
            problem={problem?.issues[field.name]}
          />
        ))}
        <div class="actions">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={saving}>
            {saving ? "Saving…" : "Save"}
          </button>
        </div>
      </form>
    </dialog>
  );
}
