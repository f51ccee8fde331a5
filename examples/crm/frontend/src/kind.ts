import { type ComponentChildren } from "preact";

export interface Option {
  value: string;
  label: string;
}

/** One input of the form. */
export interface Field {
  name: string;
  label: string;
  type: "text" | "email" | "tel" | "number" | "select";
  required?: boolean;
  maxLength?: number;
  max?: number;
  /** What a select offers. */
  options?: () => Option[] | Promise<Option[]>;
  /** What the backend is sent for the text typed or chosen; the text itself if absent. */
  parse?: (text: string) => unknown;
}

/** One column of the table. */
export interface Column<T> {
  label: string;
  numeric?: boolean;
  show: (record: T) => ComponentChildren;
}

/** All that a page of records needs to know: contacts and deals are two of these. */
export interface Kind<T> {
  path: string;
  title: string;
  one: string;
  nameOf: (record: T) => string;
  columns: Column<T>[];
  fields: Field[];
}
