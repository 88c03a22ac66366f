// Checks of single values in a pack's header.
import { demand } from "./errors.js";
import { isCount } from "./unpack.js";

const LARGEST_NUMBER = 1e6; // metres, radians, …: beyond it pictures break
const LONGEST_NAME = 80;

/** Return a list with at most `most` entries. */
export function list(value, most, what) {
  demand(Array.isArray(value), `${what} is not a list`);
  demand(value.length <= most, `${what} has more than ${most} entries`);
  return value;
}

/** Return a finite number of a size that can be drawn. */
export function number(value, what) {
  const fine = typeof value === "number" && Math.abs(value) <= LARGEST_NUMBER;
  demand(fine, `${what} is not a usual number`);
  return value;
}

/** Return a number above zero. */
export function positive(value, what) {
  demand(number(value, what) > 0, `${what} is not above zero`);
  return value;
}

/** Return `count` finite numbers. */
export function numbers(value, count, what) {
  list(value, count, what);
  demand(value.length === count, `${what} does not have ${count} numbers`);
  return value.map((each) => number(each, what));
}

/** Return an index below `count`. */
export function index(value, count, what) {
  demand(isCount(value) && value < count, `${what} names nothing`);
  return value;
}

/** Return a name that can be shown: text without control characters, cut where it is too long. */
export function name(value) {
  const text = String(typeof value === "string" ? value : "?").replace(/\p{C}/gu, "�");
  return text.length <= LONGEST_NAME ? text : `${text.slice(0, LONGEST_NAME)}…`;
}
