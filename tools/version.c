/* tools/version.c: which Cohort this is. */
#include "tools/version.h"

#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define BUILD_ID_BYTES 6 /* shown; the hash is longer */

/* The linker defines this at the program's own ELF header. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

const char *version_number(void)
{
    return COHORT_VERSION;
}

/* Walks the notes of one segment: name size, description size, type, then both padded to 4. */
static const unsigned char *find_build_id(const unsigned char *note, size_t size)
{
    while (size >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) header;
        memcpy(&header, note, sizeof header);
        size_t name = ((size_t)header.n_namesz + 3) / 4 * 4;
        size_t description = ((size_t)header.n_descsz + 3) / 4 * 4;
        size_t length = sizeof header + name + description;
        if (length > size) return NULL;
        if (header.n_type == NT_GNU_BUILD_ID && header.n_descsz >= BUILD_ID_BYTES)
            return note + sizeof header + name;
        note += length;
        size -= length;
    }
    return NULL;
}

const char *version_build_id(void)
{
    static char text[2 * BUILD_ID_BYTES + 1];
    if (text[0] != '\0') return text;
    snprintf(text, sizeof text, "unknown");
    const unsigned char *start = (const unsigned char *)&__ehdr_start;
    for (size_t i = 0; i < __ehdr_start.e_phnum; i++) {
        ElfW(Phdr) segment;
        memcpy(&segment, start + __ehdr_start.e_phoff + i * sizeof segment, sizeof segment);
        if (segment.p_type != PT_NOTE) continue;
        const unsigned char *id = find_build_id(start + segment.p_vaddr, segment.p_memsz);
        if (id == NULL) continue;
        for (size_t byte = 0; byte < BUILD_ID_BYTES; byte++)
            snprintf(text + 2 * byte, 3, "%02x", (unsigned)id[byte]);
        break;
    }
    return text;
}
