/** Compose's own ways to write amounts. */

/** "1m30s", "30s", "1h" -> whole seconds; undefined: not understood. */
export function secondsOf(duration: string | undefined): number | undefined {
  const parts = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?$/.exec(duration ?? "");
  if (parts === null || parts[0] === "") return undefined;
  const [, hours = "0", minutes = "0", seconds = "0"] = parts;
  return Math.ceil(Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds));
}

/** "314572800", "300m", "1g" -> MiB. */
export function mebibytesOf(amount: string | undefined): number | undefined {
  const parts = /^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?$/i.exec(amount?.trim() ?? "");
  if (parts === null) return undefined;
  const power = ["", "k", "m", "g", "t"].indexOf((parts[2] ?? "").toLowerCase());
  return Math.max(1, Math.ceil((Number(parts[1]) * 1024 ** power) / 1024 ** 2));
}

/** In its answer compose writes a dollar sign twice. */
export function undoubled(text: string): string {
  return text.replaceAll("$$", "$");
}

const NAMES_SECRET =
  /(^|_)(PASS|PASSWORD|PASSWD|PWD|SECRET|TOKEN|(API|ACCESS|PRIVATE|SECRET|ENCRYPTION|SIGNING)_?KEY|KEY|SALT|CREDENTIALS?|DSN)(_|$)/i;

/** By its name; or by its value: an address with a password in it, or a long mix of letters and digits. */
export function looksSecret(name: string, value: string): boolean {
  return (
    NAMES_SECRET.test(name) ||
    /:\/\/[^/\s:@]*:[^/\s@]+@/.test(value) ||
    (/^[A-Za-z0-9+/_=-]{24,}$/.test(value) && /\d/.test(value) && /[A-Za-z]/.test(value))
  );
}
