// The functions of wit/world.wit, handed to ordinary C. `sinew tool build` makes tool.h, whose names it uses.

#include <stdio.h>
#include <stdlib.h>

#include "counting.h"
#include "tool.h"

bool exports_local___SNAKE___text_count_words(tool_string_t *text, uint32_t *maybe_min_length,
                                              exports_local___SNAKE___text_counts_t *ret,
                                              tool_string_t *err) {
    uint32_t min_length = maybe_min_length ? *maybe_min_length : 1;
    const char *bytes = (const char *)text->ptr;
    struct counts counts;
    bool is_counted = count_words(bytes, text->len, min_length, &counts);
    if (is_counted) {
        ret->lines = counts.lines;
        ret->words = counts.words;
        ret->characters = counts.characters;
        tool_string_dup_n(&ret->longest, counts.longest, counts.longest_size);
    } else {
        char message[80];
        snprintf(message, sizeof message, "the text has no word of %u or more characters",
                 (unsigned)min_length);
        tool_string_dup(err, message);
    }
    // Parameters belong to the function that is called, results to its caller.
    tool_string_free(text);
    return is_counted;
}
