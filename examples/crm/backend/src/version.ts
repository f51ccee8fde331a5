/** What /api/version and every log line of a start say. */
export const version = "1.0.0";
