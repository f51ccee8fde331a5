/** What one check has found. Undefined: there is nothing to look at. */
export type Finding = { readonly good: boolean; readonly words: string } | undefined;
