/** Elements from values. Text is always a text node: names of runs are a stranger's. */

type Child = Node | string | undefined;
type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** An element with attributes; `false` and `undefined` are left out. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(name, String(value));
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** A button that does something. */
export function button(label: string, attributes: Attributes, act: () => void): HTMLButtonElement {
  const made = element('button', { type: 'button', ...attributes }, label);
  made.addEventListener('click', act);
  return made;
}

/** A colour or size of the style sheet, as it is now: light or dark. */
export const styleValue = (name: string) =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** `1234567` as `1,234,567`. */
export const grouped = (value: number) =>
  String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');

/** Four significant digits, without an exponent where that is readable. */
export function brief(value: number): string {
  const size = Math.abs(value);
  if (size >= 10_000) return grouped(value);
  if (size !== 0 && size < 1e-3) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

/** Calls back when light becomes dark, or dark light. */
export const onScheme = (act: () => void) =>
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', act);
