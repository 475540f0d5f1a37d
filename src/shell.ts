/** Words of commands that a person is told to type. */

/** A word as a POSIX shell reads it back. */
export const shellWord = (word: string) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
