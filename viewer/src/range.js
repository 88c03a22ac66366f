// The axis of curves.
const MOST = 2000; // values of a curve that are looked at
const CUT = 0.005; // of the values at each end: one large penalty must not flatten all else

/** Return the range that shows 0 and nearly all values of these lines. */
export function rangeOf(lines) {
  const values = lines.flatMap((line) => sampled(line.series.values));
  values.sort((a, b) => a - b);
  const at = (part) => values[Math.round(part * (values.length - 1))] ?? 0;
  const low = Math.min(0, at(CUT));
  const high = Math.max(0, at(1 - CUT));
  return low === high ? { low: 0, high: 1 } : { low, high };
}

/** Return an end of a range as people read it: 0 where it differs from 0 by less than is seen. */
export function rounded(end, range) {
  return Math.abs(end) < 0.02 * (range.high - range.low) ? 0 : end;
}

function sampled(values) {
  const every = Math.max(1, Math.ceil(values.length / MOST));
  const picked = [];
  for (let i = 0; i < values.length; i += every) {
    if (Number.isFinite(values[i])) picked.push(values[i]);
  }
  return picked;
}
