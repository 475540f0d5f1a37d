/** The look of a page, light and dark; the pictures in it follow by the colours that they are drawn with. */
import { FAINT, FRAME, INK, OKABE_ITO, PAPER } from './colours.js';
import { FONT_FAMILY } from './figure.js';

const DARK = { ink: '#e4e4e4', faint: '#a0a0a0', frame: '#444', paper: '#17191c' } as const;

/** A sign of one colour in the other. */
const recolour = (from: string, to: string) =>
  ['fill', 'stroke'].map((part) => `figure svg [${part}="${from}"]{${part}:${to}}`).join('\n');

/** The style sheet. */
export const PAGE_STYLE = `
:root{--ink:${INK};--faint:#5c5c5c;--frame:${FRAME};--paper:${PAPER};--warn:#fff3d6}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 ${FONT_FAMILY}}
main{max-width:960px;margin:0 auto;padding:24px 16px 64px}
h1{font-size:1.5rem;line-height:1.25;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:2rem 0 .5rem;overflow-wrap:anywhere}
p{margin:.25rem 0 .75rem;color:var(--faint)}
.scroll{overflow-x:auto;margin:0 0 1rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.95rem}
th,td{padding:.35rem .75rem;border-bottom:1px solid var(--frame);text-align:left;white-space:nowrap;unicode-bidi:isolate}
th.number,td.number{text-align:right}
thead th{font-weight:normal;color:var(--faint)}
tbody th{font-weight:bold}
.warning{background:var(--warn);padding:.25rem 1rem;border-left:4px solid ${OKABE_ITO.orange}}
.warning ul{margin:.5rem 0;padding-left:1rem;overflow-wrap:anywhere}
figure svg{display:block;width:100%;min-width:640px;max-width:860px;height:auto}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:0 0 1rem}
dt{color:var(--faint)}
dd{margin:0;overflow-wrap:anywhere}
pre{padding:.75rem;border:1px solid var(--frame);border-radius:4px;white-space:pre-wrap;overflow-wrap:anywhere}
.runs td:last-child{white-space:normal;overflow-wrap:anywhere;min-width:16rem}
@media (max-width:600px){th,td{padding:.35rem .4rem}table{font-size:.85rem}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}}
@media (prefers-color-scheme:dark){
:root{--ink:${DARK.ink};--faint:${DARK.faint};--frame:${DARK.frame};--paper:${DARK.paper};--warn:#3a2f14}
figure svg{color:${DARK.ink}}
${recolour(INK, DARK.ink)}
${recolour(FAINT, DARK.faint)}
${recolour(FRAME, DARK.frame)}
${recolour(PAPER, DARK.paper)}
${recolour(OKABE_ITO.black, DARK.ink)}
${recolour(OKABE_ITO.blue, '#4aa3df')}
}
`;
