import { list, stages, type Contact, type Deal } from "./api";
import { type Kind, type Option } from "./kind";

const amounts = new Intl.NumberFormat();
const labelOf = (stage: string) => stage.charAt(0).toUpperCase() + stage.slice(1);

async function contactOptions(): Promise<Option[]> {
  const contacts = await list<Contact>("contacts", { limit: 1000 });
  const options = contacts.map(({ id, name, company }) => ({
    value: String(id),
    label: company === null ? name : `${name}, ${company}`,
  }));
  return [{ value: "", label: "No contact" }, ...options.sort((a, b) => a.label.localeCompare(b.label))];
}

export const deals: Kind<Deal> = {
  path: "deals",
  title: "Deals",
  one: "deal",
  nameOf: ({ title }) => title,
  columns: [
    { label: "Title", show: ({ title }) => <strong>{title}</strong> },
    { label: "Contact", show: ({ contactName }) => contactName },
    { label: "Stage", show: ({ stage }) => <span class={`stage ${stage}`}>{labelOf(stage)}</span> },
    { label: "Amount", numeric: true, show: ({ amount }) => amounts.format(amount) },
  ],
  fields: [
    { name: "title", label: "Title", type: "text", required: true, maxLength: 200 },
    {
      name: "contactId",
      label: "Contact",
      type: "select",
      options: contactOptions,
      parse: (text) => (text === "" ? null : Number(text)),
    },
    { name: "amount", label: "Amount", type: "number", required: true, max: 1_000_000_000, parse: Number },
    {
      name: "stage",
      label: "Stage",
      type: "select",
      options: () => stages.map((stage) => ({ value: stage, label: labelOf(stage) })),
    },
  ],
};
