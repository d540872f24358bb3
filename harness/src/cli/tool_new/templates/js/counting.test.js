import assert from 'node:assert/strict';
import { test } from 'node:test';

import { NoWords, countWords } from '../src/counting.js';

test('a text is counted', () => {
  assert.deepEqual(countWords('ein größte\nWort', 1), {
    lines: 2,
    words: 3,
    characters: 15,
    longest: 'größte',
  });
});

test('short words are passed over', () => {
  assert.equal(countWords('a bb ccc dd\n', 2).words, 3);
  assert.throws(() => countWords('a bb', 3), NoWords);
  assert.throws(() => countWords(' \n', 1), NoWords);
});
