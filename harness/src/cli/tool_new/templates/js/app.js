// The functions of wit/world.wit, handed to ordinary JavaScript: one exported object for each interface.

import { NoWords, countWords } from './counting.js';

export const text = {
  countWords(text, minLength = 1) {
    try {
      return countWords(text, minLength);
    } catch (error) {
      // What is thrown as a string is the error of the WIT; anything else is a crash.
      throw error instanceof NoWords ? error.message : error;
    }
  },
};
