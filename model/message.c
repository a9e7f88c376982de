#include "model/message.h"

#include "sim/check.h"

#include <string.h>

/* What a message points to, chained behind it so that it goes when the message goes. */
struct message_block {
    struct message_block *next;
    size_t size; /* with this header */
    _Alignas(16) unsigned char data[];
};

static const struct {
    enum kafka_api api;
    const char *name;
} apis[] = {
#define X(name, key, text) {API_##name, text},
    KAFKA_APIS(X)
#undef X
};

const char *kafka_api_name(enum kafka_api api)
{
    for (size_t i = 0; i < ARRAY_LEN(apis); i++) {
        if (apis[i].api == api) return apis[i].name;
    }
    return "Unknown";
}

void *message_new(struct memory *memory, enum kafka_api api, size_t size)
{
    CHECK(size >= sizeof(struct message) && size <= UINT32_MAX);
    struct message *message = memory_take(memory, size);
    message->api = api;
    message->size = (uint32_t)size;
    return message;
}

void *message_alloc_unset(struct memory *memory, struct message *message, size_t size)
{
    if (size == 0) return NULL;
    size_t whole = sizeof(struct message_block) + size;
    struct message_block *block = memory_take_unset(memory, whole);
    block->size = whole;
    block->next = message->blocks;
    message->blocks = block;
    return block->data;
}

void *message_alloc(struct memory *memory, struct message *message, size_t size)
{
    void *data = message_alloc_unset(memory, message, size);
    if (data != NULL) memset(data, 0, size);
    return data;
}

void message_take_over(struct message *to, struct message *from)
{
    struct message_block **end = &to->blocks;
    while (*end != NULL)
        end = &(*end)->next;
    *end = from->blocks;
    from->blocks = NULL;
}

void message_free(struct memory *memory, struct message *message)
{
    if (message == NULL) return;
    for (struct message_block *block = message->blocks; block != NULL;) {
        struct message_block *next = block->next;
        memory_give(memory, block, block->size);
        block = next;
    }
    memory_give(memory, message, message->size);
}
