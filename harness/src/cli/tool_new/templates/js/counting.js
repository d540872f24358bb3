// What a text consists of. It knows nothing of WebAssembly, so `npm test` runs it.

/** No word is long enough. */
export class NoWords extends Error {}

/** Counts a text; words of fewer than `minLength` characters are passed over. */
export function countWords(text, minLength) {
  const words = (text.match(/[^ \t\n\f\r]+/g) ?? []).filter((word) => length(word) >= minLength);
  if (words.length === 0) {
    throw new NoWords(`the text has no word of ${minLength} or more characters`);
  }
  return {
    lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0),
    words: words.length,
    characters: length(text),
    longest: words.reduce((longest, word) => (length(word) > length(longest) ? word : longest)),
  };
}

/** Returns how many characters a text has: `text.length` would count some of them twice. */
function length(text) {
  return [...text].length;
}
