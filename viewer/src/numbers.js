// Numbers and times as people read them.

/** A value with about three figures. */
export function shown(value) {
  if (value === null || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const text = digits(value, size);
  return text.replace("-", "−");
}

function digits(value, size) {
  if (size === 0) return "0";
  if (size >= 100_000 || size < 1e-5) return value.toExponential(1);
  if (size < 0.001) return value.toPrecision(1);
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  return size >= 1 ? value.toFixed(2) : value.toFixed(3);
}

/** A time in seconds. */
export function seconds(value) {
  return value.toFixed(2);
}
