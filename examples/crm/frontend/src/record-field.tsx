import { useEffect, useState } from "preact/hooks";
import { type Field, type Option } from "./kind";

interface Props {
  field: Field;
  value: string;
  /** What the backend had against it. */
  problem?: string;
}

export function RecordField({ field, value, problem }: Props) {
  const id = `field-${field.name}`;
  const problemId = `${id}-problem`;
  const shared = {
    id,
    name: field.name,
    "aria-invalid": problem !== undefined,
    "aria-describedby": problem === undefined ? undefined : problemId,
  };
  return (
    <div class="field">
      <label for={id}>
        {field.label}
        {field.required ? null : field.type !== "select" && <span class="hint"> (optional)</span>}
      </label>
      <Control {...shared} field={field} value={value} />
      {problem !== undefined && (
        <p id={problemId} class="problem">
          {problem}
        </p>
      )}
    </div>
  );
}

interface ControlProps {
  field: Field;
  value: string;
  id: string;
  name: string;
  "aria-invalid": boolean;
  "aria-describedby": string | undefined;
}

function Control({ field, value, ...attributes }: ControlProps) {
  if (field.type === "select") return <Select {...attributes} field={field} value={value} />;
  const shared = { ...attributes, defaultValue: value, required: field.required, autocomplete: "off" };
  if (field.type === "number") return <input {...shared} type="number" min={0} max={field.max} />;
  return <input {...shared} type={field.type} maxLength={field.maxLength} list={undefined} />;
}

function Select({ field, value, ...attributes }: ControlProps) {
  // What is chosen now is offered at once, so that saving before the rest has come changes nothing.
  const [options, setOptions] = useState<Option[]>();
  useEffect(() => {
    void Promise.resolve(field.options?.() ?? [])
      .then((loaded) => setOptions(withCurrent(loaded, value)))
      .catch(() => setOptions([{ value, label: "Could not be loaded" }]));
  }, [field]);
  if (options === undefined) {
    return (
      <select {...attributes}>
        <option value={value}>Loading…</option>
      </select>
    );
  }
  return (
    <select {...attributes} key="loaded">
      {options.map((option) => (
        <option key={option.value} value={option.value} selected={option.value === value}>
          {option.label}
        </option>
      ))}
    </select>
  );
}

/** Keeps a value that is not offered (a contact beyond those listed), else saving would clear it unasked. */
function withCurrent(options: Option[], value: string): Option[] {
  const offered = value === "" || options.some((option) => option.value === value);
  return offered ? options : [{ value, label: "As before" }, ...options];
}
