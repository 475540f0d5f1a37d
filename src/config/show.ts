/** A value as a message shows it: its JSON where it has one, at most 80 characters. */
export function show(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    // cycles, or a bigint inside
  }
  text ??= value === undefined ? 'undefined' : `a ${typeof value}`;
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
