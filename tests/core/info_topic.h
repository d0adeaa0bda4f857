/*
 * What every topic of zx_object_get_info has in common: how it treats its handle, its right, its
 * buffer and its two counts. A suite describes a topic and gets a test for each of these rules.
 */
#ifndef CORE_INFO_TOPIC_H
#define CORE_INFO_TOPIC_H

#include "test.h"

struct info_topic {
    zx_object_info_topic_t topic;
    size_t record_size;
    bool many; /* any number of records; otherwise exactly one */
    zx_rights_t right;
    /* An object to ask, with two records or more if there are many; close lets go of it. */
    zx_handle_t (*open)(void);
    void (*close)(zx_handle_t handle);
};

void info_fills_in_everything(const struct info_topic *topic);
void info_bad_handle(const struct info_topic *topic);
void info_wrong_type(const struct info_topic *topic);
void info_needs_the_right(const struct info_topic *topic);
void info_counts_are_optional(const struct info_topic *topic);
void info_bad_actual(const struct info_topic *topic);
void info_bad_available(const struct info_topic *topic);
void info_bad_buffer(const struct info_topic *topic);
void info_buffer_ends_early(const struct info_topic *topic);
void info_unaligned_buffer(const struct info_topic *topic);
void info_too_small(const struct info_topic *topic);

#define INFO_TOPIC_TEST_(suite, name, check, topic)                                                \
    TEST(suite, name)                                                                              \
    {                                                                                              \
        check(&(topic));                                                                           \
    }

#define INFO_TOPIC_TESTS(suite, name, topic)                                                       \
    INFO_TOPIC_TEST_(suite, name##FillsInEverything, info_fills_in_everything, topic)              \
    INFO_TOPIC_TEST_(suite, name##BadHandle, info_bad_handle, topic)                               \
    INFO_TOPIC_TEST_(suite, name##WrongType, info_wrong_type, topic)                               \
    INFO_TOPIC_TEST_(suite, name##NeedsTheRight, info_needs_the_right, topic)                      \
    INFO_TOPIC_TEST_(suite, name##CountsAreOptional, info_counts_are_optional, topic)              \
    INFO_TOPIC_TEST_(suite, name##BadActual, info_bad_actual, topic)                               \
    INFO_TOPIC_TEST_(suite, name##BadAvailable, info_bad_available, topic)                         \
    INFO_TOPIC_TEST_(suite, name##BadBuffer, info_bad_buffer, topic)                               \
    INFO_TOPIC_TEST_(suite, name##BufferEndsEarly, info_buffer_ends_early, topic)                  \
    INFO_TOPIC_TEST_(suite, name##UnalignedBuffer, info_unaligned_buffer, topic)                   \
    INFO_TOPIC_TEST_(suite, name##TooSmall, info_too_small, topic)

/* For `open` and `close`: this process, thread, job, or what needs no closing. */
zx_handle_t info_of_this_process(void);
zx_handle_t info_of_this_thread(void);
void info_keep(zx_handle_t handle);

#endif
