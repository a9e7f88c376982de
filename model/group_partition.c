#include "model/group_partition.h"

#include "model/java_string.h"
#include "sim/check.h"

#include <string.h>

int32_t group_partition(const char *group, int32_t partition_count)
{
    CHECK(partition_count > 0);
    const int32_t hash = java_string_hash(group, strlen(group));
    if (hash == INT32_MIN) return 0;
    return (hash < 0 ? -hash : hash) % partition_count;
}
