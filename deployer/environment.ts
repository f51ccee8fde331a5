/**
 * What is started here gets all but the stack's config: the CLI gives that, with its secrets decrypted, to the program
 * alone.
 */
export function withoutConfig(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => name !== "PULUMI_CONFIG"));
}
