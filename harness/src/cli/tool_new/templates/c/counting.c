#include "counting.h"

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

// Every byte but the later ones of a character begins one.
static bool begins_character(char c) {
    return ((unsigned char)c & 0xC0) != 0x80;
}

bool count_words(const char *text, size_t size, uint32_t min_length, struct counts *counts) {
    *counts = (struct counts){0};
    uint32_t longest = 0;
    size_t start = 0;
    uint32_t length = 0;
    for (size_t at = 0; at <= size; at++) {
        bool is_end = at == size;
        if (is_end || is_space(text[at])) {
            if (length > 0 && length >= min_length) {
                counts->words++;
                if (length > longest) {
                    longest = length;
                    counts->longest = text + start;
                    counts->longest_size = at - start;
                }
            }
            start = at + 1;
            length = 0;
        } else if (begins_character(text[at])) {
            length++;
        }
        if (!is_end) {
            counts->lines += text[at] == '\n';
            counts->characters += begins_character(text[at]);
        }
    }
    counts->lines += size > 0 && text[size - 1] != '\n';
    return counts->words > 0;
}
