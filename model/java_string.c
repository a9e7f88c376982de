#include "model/java_string.h"

#define REPLACEMENT_CHARACTER 0xfffdU

/* Reads one character and returns how many bytes it takes. Lone surrogates in three bytes pass:
 * Java has such strings, and some JSON writers keep them. */
static size_t utf8_next(const unsigned char *text, size_t length, uint32_t *character)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char lead = text[0];
    *character = lead;
    if (lead < 0x80) return 1;
    *character = REPLACEMENT_CHARACTER;
    const size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || size > length) return 1;
    uint32_t value = lead & (0x7fU >> size);
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80) return 1;
        value = value << 6 | (text[i] & 0x3f);
    }
    if (value < smallest[size] || value > 0x10ffff) return 1;
    *character = value;
    return size;
}

int32_t java_string_hash(const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    uint32_t hash = 0;
    for (size_t i = 0; i < length;) {
        uint32_t character;
        i += utf8_next(bytes + i, length - i, &character);
        if (character > 0xffff) {
            hash = 31 * hash + (0xd800 + ((character - 0x10000) >> 10));
            character = 0xdc00 + ((character - 0x10000) & 0x3ff);
        }
        hash = 31 * hash + character;
    }
    return (int32_t)hash;
}

/* Where UTF-16 puts the first byte of a character: F0 and above (surrogates) before EE and EF
 * (U+E000 to U+FFFF). EE is the first whose characters all lie above the surrogates. */
static int rank(unsigned char byte)
{
    if (byte >= 0xf0) return byte - 2;
    if (byte >= 0xee) return byte + 0x10;
    return byte;
}

int java_string_compare(const char *a, const char *b)
{
    const unsigned char *left = (const unsigned char *)a;
    const unsigned char *right = (const unsigned char *)b;
    while (*left != '\0' && *left == *right) {
        left++;
        right++;
    }
    return rank(*left) - rank(*right);
}
