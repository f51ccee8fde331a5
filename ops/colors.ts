import { isatty } from "node:tty";
import pico from "picocolors";

const { NO_COLOR = "", TERM } = process.env;

/** On a terminal only. picocolors by itself colours in CI as well, and into a pipe. */
export const colors = pico.createColors(isatty(1) && NO_COLOR === "" && TERM !== "dumb");
