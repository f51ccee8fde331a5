/** For people, in UTC, to the minute. @param seconds since 1970 */
export function timeOf(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
