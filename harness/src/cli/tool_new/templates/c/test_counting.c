#include <stdio.h>
#include <string.h>

#include "../src/counting.h"

static int failures = 0;

#define CHECK(condition)                                                        \
    do {                                                                        \
        if (!(condition)) {                                                     \
            printf("%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            failures++;                                                         \
        }                                                                       \
    } while (0)

static bool count(const char *text, uint32_t min_length, struct counts *counts) {
    return count_words(text, strlen(text), min_length, counts);
}

int main(void) {
    struct counts counts;

    CHECK(count("ein größte\nWort", 1, &counts));
    CHECK(counts.lines == 2 && counts.words == 3 && counts.characters == 15);
    CHECK(counts.longest_size == strlen("größte"));
    CHECK(strncmp(counts.longest, "größte", counts.longest_size) == 0);

    CHECK(count("a bb ccc dd\n", 2, &counts) && counts.words == 3);
    CHECK(!count("a bb", 3, &counts));
    CHECK(!count(" \n", 1, &counts));

    puts(failures == 0 ? "ok" : "FAILED");
    return failures != 0;
}
