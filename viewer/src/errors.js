/** An error whose message is a sentence for the person who looks at the page. */
export class ReplayError extends Error {}

/** Throw a ReplayError about damaged data unless `condition` holds. */
export function demand(condition, what) {
  if (!condition) throw new ReplayError(`This replay is damaged: ${what}.`);
}
