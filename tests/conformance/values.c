#include "tests/conformance/values.h"

#include "sim/check.h"

#include <stdlib.h>
#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

uint8_t *hex_decode(const char *text, size_t *length)
{
    const size_t digits = strlen(text);
    if (digits % 2 != 0) return NULL;
    uint8_t *data = malloc(digits / 2 + 1);
    CHECK(data != NULL);
    for (size_t i = 0; i < digits / 2; i++) {
        const int high = hex_digit(text[2 * i]);
        const int low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            free(data);
            return NULL;
        }
        data[i] = (uint8_t)(high * 16 + low);
    }
    *length = digits / 2;
    return data;
}

char *hex_encode(const uint8_t *data, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    char *text = malloc(2 * length + 1);
    CHECK(text != NULL);
    for (size_t i = 0; i < length; i++) {
        text[2 * i] = digits[data[i] >> 4];
        text[2 * i + 1] = digits[data[i] & 15];
    }
    text[2 * length] = '\0';
    return text;
}

int32_t *int32_array(const json_t *array, int32_t *count)
{
    if (!json_is_array(array)) return NULL;
    const size_t size = json_array_size(array);
    int32_t *values = malloc((size + 1) * sizeof(*values));
    CHECK(values != NULL);
    for (size_t i = 0; i < size; i++) {
        const json_t *item = json_array_get(array, i);
        if (!json_is_integer(item)) {
            free(values);
            return NULL;
        }
        values[i] = (int32_t)json_integer_value(item);
    }
    *count = (int32_t)size;
    return values;
}

bool get_int32(const json_t *object, const char *key, int32_t *value)
{
    const json_t *item = json_object_get(object, key);
    if (!json_is_integer(item)) return false;
    *value = (int32_t)json_integer_value(item);
    return true;
}
