/** What the page shows, and /version.json and /health say. */
export const version = "1.0.0";
