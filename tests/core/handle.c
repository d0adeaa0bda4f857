/*
 * Handles: close, duplicate, replace, and what is said about them.
 */
#include "test.h"

static zx_handle_t make_event(void)
{
    zx_handle_t event;

    ASSERT_OK(zx_event_create(0, &event));
    return event;
}

TEST(HandleClose, Invalid)
{
    EXPECT_OK(zx_handle_close(ZX_HANDLE_INVALID));
    EXPECT_STATUS(zx_handle_close(closed_handle()), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_handle_close(0xfffffff0), ZX_ERR_BAD_HANDLE);
}

TEST(HandleClose, FixedBits)
{
    zx_handle_t event = make_event();

    EXPECT_EQ(event & ZX_HANDLE_FIXED_BITS_MASK, ZX_HANDLE_FIXED_BITS_MASK);
    EXPECT_STATUS(zx_handle_close(event & ~1u), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_handle_close(event & ~2u), ZX_ERR_BAD_HANDLE);
    CLOSE(event);
}

TEST(HandleClose, Twice)
{
    zx_handle_t event = make_event();

    EXPECT_OK(zx_handle_close(event));
    EXPECT_STATUS(zx_handle_close(event), ZX_ERR_BAD_HANDLE);
}

TEST(HandleClose, NoRightsNeeded)
{
    zx_handle_t event = make_event(), plain;

    ASSERT_OK(zx_handle_replace(event, ZX_RIGHT_NONE, &plain));
    EXPECT_OK(zx_handle_close(plain));
}

TEST(HandleClose, Many)
{
    zx_handle_t handles[] = {make_event(), ZX_HANDLE_INVALID, make_event()};

    EXPECT_OK(zx_handle_close_many(handles, 3));
    EXPECT_STATUS(zx_object_get_info(handles[0], ZX_INFO_HANDLE_VALID, NULL, 0, NULL, NULL),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_object_get_info(handles[2], ZX_INFO_HANDLE_VALID, NULL, 0, NULL, NULL),
                  ZX_ERR_BAD_HANDLE);
}

TEST(HandleClose, ManyGoesOnPastBadOnes)
{
    zx_handle_t handles[] = {make_event(), closed_handle(), make_event()};

    EXPECT_STATUS(zx_handle_close_many(handles, 3), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_handle_close(handles[2]), ZX_ERR_BAD_HANDLE);
}

TEST(HandleClose, ManyWithTheSameTwice)
{
    zx_handle_t event = make_event();
    zx_handle_t handles[] = {event, event};

    EXPECT_STATUS(zx_handle_close_many(handles, 2), ZX_ERR_BAD_HANDLE);
}

TEST(HandleClose, ManyNone)
{
    EXPECT_OK(zx_handle_close_many(NULL, 0));
}

TEST(HandleClose, ManyBadPointer)
{
    EXPECT_STATUS(zx_handle_close_many(UNMAPPED, 2), ZX_ERR_INVALID_ARGS);
}

TEST(HandleClose, ManyInChunks)
{
    zx_handle_t handles[300];

    for (size_t i = 0; i < 300; i++)
        handles[i] = make_event();
    EXPECT_OK(zx_handle_close_many(handles, 300));
    for (size_t i = 0; i < 300; i++)
        EXPECT_STATUS(zx_handle_close(handles[i]), ZX_ERR_BAD_HANDLE);
}

TEST(HandleDup, SameRights)
{
    zx_handle_t event = make_event(), copy;

    ASSERT_OK(zx_handle_duplicate(event, ZX_RIGHT_SAME_RIGHTS, &copy));
    EXPECT_TRUE(copy != event);
    EXPECT_EQ(basic_info(copy).koid, basic_info(event).koid);
    EXPECT_EQ(basic_info(copy).rights, basic_info(event).rights);
    CLOSE(event);
    EXPECT_OK(zx_object_signal(copy, 0, ZX_EVENT_SIGNALED));
    CLOSE(copy);
}

TEST(HandleDup, FewerRights)
{
    zx_handle_t event = make_event(), copy, again;

    ASSERT_OK(zx_handle_duplicate(event, ZX_RIGHT_WAIT | ZX_RIGHT_DUPLICATE, &copy));
    EXPECT_EQ(basic_info(copy).rights, ZX_RIGHT_WAIT | ZX_RIGHT_DUPLICATE);
    EXPECT_STATUS(zx_object_signal(copy, 0, ZX_EVENT_SIGNALED), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(
        zx_handle_duplicate(copy, ZX_RIGHT_WAIT | ZX_RIGHT_DUPLICATE | ZX_RIGHT_SIGNAL, &again),
        ZX_ERR_INVALID_ARGS);
    CLOSE(copy);
    CLOSE(event);
}

TEST(HandleDup, NeedsDuplicate)
{
    zx_handle_t event = make_event();
    zx_handle_t copy = without_rights(event, ZX_RIGHT_DUPLICATE), again;

    EXPECT_STATUS(zx_handle_duplicate(copy, ZX_RIGHT_SAME_RIGHTS, &again), ZX_ERR_ACCESS_DENIED);
    CLOSE(copy);
    CLOSE(event);
}

TEST(HandleDup, BadArguments)
{
    zx_handle_t event = make_event(), copy;

    EXPECT_STATUS(zx_handle_duplicate(closed_handle(), ZX_RIGHT_SAME_RIGHTS, &copy),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_handle_duplicate(ZX_HANDLE_INVALID, ZX_RIGHT_SAME_RIGHTS, &copy),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_handle_duplicate(event, ZX_RIGHT_EXECUTE, &copy), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_handle_duplicate(event, ZX_RIGHT_SAME_RIGHTS, UNMAPPED), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_handle_duplicate(event, ZX_RIGHT_SAME_RIGHTS, KERNEL_ADDRESS),
                  ZX_ERR_INVALID_ARGS);
    CLOSE(event);
}

TEST(HandleDup, BadPointerLeaksNothing)
{
    zx_handle_t event = make_event();
    zx_info_handle_count_t count;

    for (int i = 0; i < 10; i++)
        EXPECT_STATUS(zx_handle_duplicate(event, ZX_RIGHT_SAME_RIGHTS, UNMAPPED),
                      ZX_ERR_INVALID_ARGS);
    ASSERT_OK(zx_object_get_info(event, ZX_INFO_HANDLE_COUNT, &count, sizeof(count), NULL, NULL));
    EXPECT_EQ(count.handle_count, 1);
    CLOSE(event);
}

TEST(HandleReplace, SameRights)
{
    zx_handle_t event = make_event(), other;
    zx_koid_t koid = basic_info(event).koid;

    ASSERT_OK(zx_handle_replace(event, ZX_RIGHT_SAME_RIGHTS, &other));
    EXPECT_STATUS(zx_handle_close(event), ZX_ERR_BAD_HANDLE);
    EXPECT_EQ(basic_info(other).koid, koid);
    CLOSE(other);
}

TEST(HandleReplace, NoRightNeeded)
{
    zx_handle_t event = make_event(), bare, again;

    ASSERT_OK(zx_handle_replace(event, ZX_RIGHT_WAIT, &bare));
    EXPECT_EQ(basic_info(bare).rights, ZX_RIGHT_WAIT);
    ASSERT_OK(zx_handle_replace(bare, ZX_RIGHT_NONE, &again));
    EXPECT_EQ(basic_info(again).rights, 0);
    CLOSE(again);
}

TEST(HandleReplace, MoreRightsClosesTheSource)
{
    zx_handle_t event = make_event(), bare, other;

    ASSERT_OK(zx_handle_replace(event, ZX_RIGHT_WAIT, &bare));
    EXPECT_STATUS(zx_handle_replace(bare, ZX_RIGHT_WAIT | ZX_RIGHT_SIGNAL, &other),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_handle_close(bare), ZX_ERR_BAD_HANDLE);
}

TEST(HandleReplace, BadHandle)
{
    zx_handle_t other;

    EXPECT_STATUS(zx_handle_replace(closed_handle(), ZX_RIGHT_SAME_RIGHTS, &other),
                  ZX_ERR_BAD_HANDLE);
}

TEST(HandleInfo, Valid)
{
    zx_handle_t event = make_event();

    EXPECT_OK(zx_object_get_info(event, ZX_INFO_HANDLE_VALID, NULL, 0, NULL, NULL));
    CLOSE(event);
    EXPECT_STATUS(zx_object_get_info(event, ZX_INFO_HANDLE_VALID, NULL, 0, NULL, NULL),
                  ZX_ERR_BAD_HANDLE);
}

TEST(HandleInfo, Basic)
{
    zx_handle_t event = make_event();
    zx_info_handle_basic_t info = basic_info(event);

    EXPECT_TRUE(info.koid >= ZX_KOID_FIRST);
    EXPECT_EQ(info.type, ZX_OBJ_TYPE_EVENT);
    EXPECT_EQ(info.rights, ZX_DEFAULT_EVENT_RIGHTS);
    EXPECT_EQ(info.related_koid, 0);
    EXPECT_EQ(info.props, ZX_OBJ_PROP_WAITABLE);
    CLOSE(event);
}

TEST(HandleInfo, RelatedKoidOfPeers)
{
    zx_handle_t a, b;

    ASSERT_OK(zx_channel_create(0, &a, &b));
    EXPECT_EQ(basic_info(a).related_koid, basic_info(b).koid);
    EXPECT_EQ(basic_info(b).related_koid, basic_info(a).koid);
    CLOSE(a);
    CLOSE(b);
}

TEST(HandleInfo, KoidsAreNeverReused)
{
    zx_handle_t event = make_event();
    zx_koid_t first = basic_info(event).koid;

    CLOSE(event);
    event = make_event();
    EXPECT_TRUE(basic_info(event).koid > first);
    CLOSE(event);
}

TEST(HandleInfo, ValuesAreNotReusedSoon)
{
    zx_handle_t before = make_event();

    CLOSE(before);
    for (int i = 0; i < 5; i++) {
        zx_handle_t event = make_event();
        EXPECT_TRUE(event != before);
        CLOSE(event);
    }
}

TEST(HandleInfo, Count)
{
    zx_handle_t event = make_event(), copy;
    zx_info_handle_count_t count;

    ASSERT_OK(zx_handle_duplicate(event, ZX_RIGHT_SAME_RIGHTS, &copy));
    ASSERT_OK(zx_object_get_info(event, ZX_INFO_HANDLE_COUNT, &count, sizeof(count), NULL, NULL));
    EXPECT_EQ(count.handle_count, 2);
    CLOSE(copy);
    ASSERT_OK(zx_object_get_info(event, ZX_INFO_HANDLE_COUNT, &count, sizeof(count), NULL, NULL));
    EXPECT_EQ(count.handle_count, 1);
    copy = without_rights(event, ZX_RIGHT_INSPECT);
    EXPECT_STATUS(zx_object_get_info(copy, ZX_INFO_HANDLE_COUNT, &count, sizeof(count), NULL, NULL),
                  ZX_ERR_ACCESS_DENIED);
    CLOSE(copy);
    CLOSE(event);
}
