/** Text in an HTML page: whatever it says, it is text. */

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Signs that cannot be seen, or turn the order of what follows; in what is written as lines, their ends may stay. */
const UNSEEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;
const UNSEEN_IN_LINES = /(?![\n\t])[\p{Cc}\p{Cf}\u2028\u2029]/gu;

const codeOf = (sign: string) => (sign.codePointAt(0) ?? 0).toString(16).padStart(4, '0');

/** An SVG as a part of a page: without its namespace, which goes without saying there, and with nothing that is not seen. */
export const inlineSvg = (svg: string): string =>
  svg
    .replace(/ xmlns(:\w+)?="[^"]*"/g, '')
    .replace(UNSEEN_IN_LINES, (sign) => `\\u${codeOf(sign)}`)
    .trim();

/** Text for an element or an attribute in quotes; what cannot be seen is shown as its code. */
export const escapeHtml = (text: string): string =>
  text
    .replace(UNSEEN, (sign) => `\\u${codeOf(sign)}`)
    .replace(/[&<>"']/g, (sign) => ENTITIES[sign] as string);

/** A table; the cells of the columns in `right` are numbers. */
export function htmlTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: ReadonlySet<number> = new Set(),
): string {
  const cell = (tag: string) => (text: string, index: number) => {
    const scope = tag === 'th' ? ' scope="col"' : '';
    const number = right.has(index) ? ' class="number"' : '';
    const content = escapeHtml(text);
    // the first cell of a row names it
    return tag === 'td' && index === 0
      ? `<th scope="row">${content}</th>`
      : `<${tag}${scope}${number}>${content}</${tag}>`;
  };
  const body = rows.map((row) => `<tr>${row.map(cell('td')).join('')}</tr>`).join('\n');
  return `<div class="scroll" tabindex="0"><table>
<thead><tr>${head.map(cell('th')).join('')}</tr></thead>
<tbody>
${body}
</tbody></table></div>`;
}
