import { type Kind } from "./kind";

interface Props<T> {
  kind: Kind<T>;
  records: T[];
  onEdit: (record: T) => void;
}

/** A table; on a narrow screen each row is a card, whose cells name themselves (data-label). */
export function RecordTable<T extends { id: number }>({ kind, records, onEdit }: Props<T>) {
  return (
    <table>
      <caption class="hidden">{kind.title}</caption>
      <thead>
        <tr>
          {kind.columns.map(({ label, numeric }) => (
            <th key={label} scope="col" class={numeric ? "numeric" : undefined}>
              {label}
            </th>
          ))}
          <th scope="col">
            <span class="hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {records.map((record) => (
          <tr key={record.id}>
            {kind.columns.map(({ label, numeric, show }) => (
              <td key={label} data-label={label} class={numeric ? "numeric" : undefined}>
                {show(record) ?? <span class="hint">–</span>}
              </td>
            ))}
            <td class="row-actions">
              <button type="button" aria-label={`Edit ${kind.nameOf(record)}`} onClick={() => onEdit(record)}>
                Edit
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
