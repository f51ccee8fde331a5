import { type Contact } from "./api";
import { type Kind } from "./kind";

export const contacts: Kind<Contact> = {
  path: "contacts",
  title: "Contacts",
  one: "contact",
  nameOf: ({ name }) => name,
  columns: [
    { label: "Name", show: ({ name }) => <strong>{name}</strong> },
    { label: "Company", show: ({ company }) => company },
    { label: "E-mail", show: ({ email }) => email && <a href={`mailto:${email}`}>{email}</a> },
    {
      label: "Phone",
      show: ({ phone }) => phone && <a href={`tel:${phone.replace(/[^+\d]/g, "")}`}>{phone}</a>,
    },
  ],
  fields: [
    { name: "name", label: "Name", type: "text", required: true, maxLength: 200 },
    { name: "company", label: "Company", type: "text", maxLength: 200 },
    { name: "email", label: "E-mail", type: "email", maxLength: 254 },
    { name: "phone", label: "Phone", type: "tel", maxLength: 50 },
  ],
};
