// What a text consists of. It knows nothing of WebAssembly, so a test of this machine runs it.

#ifndef COUNTING_H
#define COUNTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct counts {
    uint32_t lines;
    uint32_t words;
    uint32_t characters;
    // A part of the text that was counted, in bytes.
    const char *longest;
    size_t longest_size;
};

// Counts a text in UTF-8; words of fewer than `min_length` characters are passed over. Returns false if none is left.
bool count_words(const char *text, size_t size, uint32_t min_length, struct counts *counts);

#endif
