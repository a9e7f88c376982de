#include "tests/harness/group_story.h"

#include "sim/check.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void tell(struct group_story *story, sim_time at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void tell(struct group_story *story, sim_time at, const char *format, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    long long milliseconds = (long long)(at / MILLISECONDS(1));
    int written = snprintf(story->text + story->length, sizeof(story->text) - story->length,
                           "[%lld.%03lld s] %s\n", milliseconds / 1000, milliseconds % 1000, line);
    CHECK(written > 0 && story->length + (size_t)written < sizeof(story->text));
    story->length += (size_t)written;
}

static void on_note(void *self, const struct coordinator *coordinator,
                    const struct group_note *note)
{
    (void)coordinator;
    struct group_story *story = self;
    const char *member = names_text(story->names, note->member);
    const char *other = names_text(story->names, note->other);
    switch ((int)note->kind) {
    case NOTE_REBALANCE:
        tell(story, note->at, "rebalance from generation %d: %s%s%s", (int)note->generation,
             rebalance_reason_text(note->reason), note->member == NAME_NONE ? "" : ": ", member);
        break;
    case NOTE_GROUP_STATE:
        tell(story, note->at, "%s -> %s", group_state_name(note->old_state),
             group_state_name(note->state));
        break;
    case NOTE_MEMBER_ID_ISSUED: tell(story, note->at, "%s is to join with this id", member); break;
    case NOTE_MEMBER_ADDED: tell(story, note->at, "%s is a member", member); break;
    case NOTE_MEMBER_REPLACED:
        tell(story, note->at, "%s of %s takes the place of %s, shown as of %s on %s", member,
             names_text(story->names, note->caller), other,
             names_text(story->names, note->client_id),
             names_text(story->names, note->client_host));
        break;
    case NOTE_MEMBER_REMOVED:
        tell(story, note->at, "%s %s", member, member_removal_name(note->removal));
        break;
    case NOTE_JOIN_COMPLETED:
        tell(story, note->at, "generation %d: %d members%s%s", (int)note->generation,
             (int)note->count, note->count == 0 ? "" : ", led by ", member);
        break;
    case NOTE_COMMIT_DURABLE:
        tell(story, note->at, "%s-%d committed at %lld",
             names_text(story->names, note->partition.topic), (int)note->partition.partition,
             (long long)note->offset);
        break;
    case NOTE_OFFSET_REMOVED:
        tell(story, note->at, "%s-%d expired or deleted",
             names_text(story->names, note->partition.topic), (int)note->partition.partition);
        break;
    case NOTE_GROUP_DELETED: tell(story, note->at, "the group is gone"); break;
    default: break; /* no part of these stories */
    }
}

void group_story_begin(struct group_story *story, struct coordinator *coordinator,
                       const struct names *names)
{
    *story = (struct group_story){.names = names};
    coordinator_observe(coordinator, on_note, story);
}

void group_story_expect(struct group_story *story, const char *expected)
{
    if (strcmp(story->text, expected) != 0) {
        fail_msg("\n--- expected\n%s--- happened\n%s", expected, story->text);
    }
    story->length = 0;
    story->text[0] = '\0';
}
