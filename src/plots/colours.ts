/** Colours of every picture. */

/** Eight colours that stay apart for every kind of colour vision: the palette of Okabe and Ito (2008). */
export const OKABE_ITO = {
  blue: '#0072b2',
  vermillion: '#d55e00',
  green: '#009e73',
  purple: '#cc79a7',
  sky: '#56b4e9',
  orange: '#e69f00',
  yellow: '#f0e442',
  black: '#000000',
} as const;

/** Colours of series in their order, without yellow, which is lost on white. */
export const SERIES: readonly string[] = [
  OKABE_ITO.blue,
  OKABE_ITO.vermillion,
  OKABE_ITO.green,
  OKABE_ITO.purple,
  OKABE_ITO.sky,
  OKABE_ITO.orange,
  OKABE_ITO.black,
];

/** Text, axes and their ticks. */
export const INK = '#222';
/** Lines that only help to read: zeros, optima, limits. */
export const FAINT = '#888';
/** Frames of panels. */
export const FRAME = '#ccc';
/** Behind everything, so that a picture can be read on a dark page too. */
export const PAPER = 'white';
