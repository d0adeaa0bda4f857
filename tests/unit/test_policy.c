/*
 * test_policy.c - job policies, against a model and through the system call.
 */
#include "helpers.h"

#include "policy.h"

#define ABSOLUTE   ZX_JOB_POL_ABSOLUTE
#define RELATIVE   ZX_JOB_POL_RELATIVE
#define CONDITIONS 15u

/* The model: what a policy says, written down from the rules. */
struct model {
    uint32_t action[CONDITIONS];
    bool locked[CONDITIONS];
};

static zx_status_t model_set(struct model *m, bool absolute, const zx_policy_basic_v2_t *entries,
                             uint32_t count)
{
    struct model result = *m;

    for (uint32_t i = 0; i < count; i++) {
        bool any = entries[i].condition == ZX_POL_NEW_ANY;
        uint32_t first = any ? ZX_POL_NEW_ANY : entries[i].condition;
        uint32_t last = any ? ZX_POL_NEW_PROFILE : entries[i].condition;

        if (entries[i].condition >= CONDITIONS || entries[i].flags > 1)
            return ZX_ERR_INVALID_ARGS;
        if (entries[i].action >= 5)
            return ZX_ERR_NOT_SUPPORTED;
        for (uint32_t c = first; c <= last; c++) {
            if (result.locked[c] && result.action[c] == entries[i].action)
                continue;
            if (result.locked[c] && absolute)
                return ZX_ERR_ALREADY_EXISTS;
            if (result.locked[c])
                continue;
            result.action[c] = entries[i].action;
            result.locked[c] = entries[i].flags == ZX_POL_OVERRIDE_DENY;
        }
    }
    *m = result;
    return ZX_OK;
}

static void test_model(void **state)
{
    (void)state;
    srand(3);
    for (int round = 0; round < 2000; round++) {
        struct job_policy policy = {.slack.min_slack = 0};
        struct model model = {{0}, {0}};

        for (int step = 0; step < 12; step++) {
            zx_policy_basic_v2_t entries[4];
            uint32_t count = 1 + (uint32_t)rand() % 4;
            bool absolute = rand() % 2;

            for (uint32_t i = 0; i < count; i++)
                entries[i] = (zx_policy_basic_v2_t){
                    (uint32_t)rand() % 16, (uint32_t)rand() % 20 ? (uint32_t)rand() % 5 : 5,
                    (uint32_t)rand() % 20 ? (uint32_t)rand() % 2 : 2};
            assert_status(job_policy_set_basic(&policy, absolute, entries, count),
                          model_set(&model, absolute, entries, count));
            for (uint32_t c = 0; c < CONDITIONS; c++)
                assert_int_equal(job_policy_action(&policy, c), model.action[c]);
        }
    }
}

static void test_slack(void **state)
{
    struct job_policy policy = {.slack.min_slack = 50};
    zx_policy_timer_slack_t slack = {.min_slack = 20, .default_mode = 2};

    (void)state;
    assert_status(job_policy_set_slack(&policy, &slack), ZX_OK);
    assert_int_equal(policy.slack.min_slack, 50); /* at least the parent's */
    assert_int_equal(policy.slack.default_mode, 2);
    slack.min_slack = 70;
    assert_status(job_policy_set_slack(&policy, &slack), ZX_OK);
    assert_int_equal(policy.slack.min_slack, 70);
    slack.default_mode = 3;
    assert_status(job_policy_set_slack(&policy, &slack), ZX_ERR_INVALID_ARGS);
    slack = (zx_policy_timer_slack_t){.min_slack = -1};
    assert_status(job_policy_set_slack(&policy, &slack), ZX_ERR_INVALID_ARGS);
    assert_int_equal(policy.slack.min_slack, 70);
}

static zx_handle_t give_job(struct job **out)
{
    assert_status(job_create(fix.kernel.root_job, out), ZX_OK);
    return fixture_give(&(*out)->object, ZX_DEFAULT_JOB_RIGHTS);
}

static void test_syscall(void **state)
{
    zx_policy_basic_v1_t v1[16];
    struct job *job, *child;
    zx_handle_t handle = give_job(&job), weak;

    (void)state;
    for (int i = 0; i < 16; i++)
        v1[i] = (zx_policy_basic_v1_t){ZX_POL_NEW_PORT, ZX_POL_ACTION_DENY};
    fixture_poke(0, v1, sizeof v1);
    assert_status(sys_job_set_policy(SELF, handle, ABSOLUTE, 7, U(0), 1), ZX_ERR_INVALID_ARGS);
    assert_status(sys_job_set_policy(SELF, handle, ABSOLUTE, 0, BAD, 1), ZX_ERR_INVALID_ARGS);
    assert_status(sys_job_set_policy(SELF, handle, ABSOLUTE, 0, NONE, 1), ZX_ERR_INVALID_ARGS);
    assert_status(sys_job_set_policy(SELF, handle, ABSOLUTE, 0, U(0), 16), ZX_ERR_OUT_OF_RANGE);
    assert_status(sys_job_set_policy(SELF, handle, ABSOLUTE, 0, U(0), 15), ZX_OK);
    assert_int_equal(job_policy_action(&job->policy, ZX_POL_NEW_PORT), ZX_POL_ACTION_DENY);
    assert_int_equal(job_policy_action(&job->policy, ZX_POL_NEW_EVENT), ZX_POL_ACTION_ALLOW);
    /* The last bytes of the last page: nothing beyond the entries is read. */
    fixture_poke(USER_BYTES - sizeof v1[0], v1, sizeof v1[0]);
    assert_status(sys_job_set_policy(SELF, handle, ABSOLUTE, 0, U(USER_BYTES - sizeof v1[0]), 1),
                  ZX_OK);
    assert_status(sys_job_set_policy(SELF, handle, ABSOLUTE, 0, U(USER_BYTES - sizeof v1[0]), 2),
                  ZX_ERR_INVALID_ARGS);
    assert_status(job_create(job, &child), ZX_OK);
    assert_int_equal(job_policy_action(&child->policy, ZX_POL_NEW_PORT), ZX_POL_ACTION_DENY);
    assert_status(sys_job_set_policy(SELF, handle, ABSOLUTE, 0, U(0), 1), ZX_ERR_BAD_STATE);
    object_release(&child->object);
    weak = with_rights(handle, ZX_DEFAULT_JOB_RIGHTS & ~ZX_RIGHT_SET_POLICY);
    assert_status(sys_job_set_policy(SELF, weak, ABSOLUTE, 0, U(0), 1), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
}

static void test_syscall_slack(void **state)
{
    zx_policy_timer_slack_t slack = {.min_slack = 9, .default_mode = 1};
    struct job *job;
    zx_handle_t handle = give_job(&job);

    (void)state;
    fixture_poke(0, &slack, sizeof slack);
    assert_status(sys_job_set_policy(SELF, handle, ABSOLUTE, ZX_JOB_POL_TIMER_SLACK, U(0), 1),
                  ZX_ERR_INVALID_ARGS);
    assert_status(sys_job_set_policy(SELF, handle, RELATIVE, ZX_JOB_POL_TIMER_SLACK, U(0), 1),
                  ZX_OK);
    assert_int_equal(job->policy.slack.min_slack, 9);
    close_handle(handle);
}

/* Every action, as the calling thread meets it. */
static void test_actions(void **state)
{
    static const struct {
        uint32_t action;
        zx_status_t status;
        bool raises;
    } cases[] = {
        {ZX_POL_ACTION_ALLOW, ZX_OK, false},
        {ZX_POL_ACTION_DENY, ZX_ERR_ACCESS_DENIED, false},
        {ZX_POL_ACTION_ALLOW_EXCEPTION, ZX_OK, true},
        {ZX_POL_ACTION_DENY_EXCEPTION, ZX_ERR_ACCESS_DENIED, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fix.kernel.root_job->policy.basic[ZX_POL_NEW_EVENT] = (uint8_t)cases[i].action;
        assert_status(sys_event_create(SELF, 0, U(0)), cases[i].status);
        assert_int_equal((SELF->flags & THREAD_POLICY) != 0, cases[i].raises);
        SELF->flags = 0;
    }
    fix.kernel.root_job->policy.basic[ZX_POL_NEW_EVENT] = ZX_POL_ACTION_KILL;
    assert_status(sys_event_create(SELF, 0, U(0)), ZX_ERR_ACCESS_DENIED);
    assert_int_equal(fix.process->return_code, ZX_TASK_RETCODE_POLICY_KILL);
}

static void test_bad_handle(void **state)
{
    (void)state;
    fix.kernel.root_job->policy.basic[ZX_POL_BAD_HANDLE] = ZX_POL_ACTION_DENY_EXCEPTION;
    assert_status(sys_object_signal(SELF, 3, 0, 0), ZX_ERR_BAD_HANDLE);
    assert_true(SELF->flags & THREAD_POLICY);
    SELF->flags = 0;
    /* Asking whether a handle is good is no mistake. */
    assert_status(sys_object_get_info(SELF, 3, ZX_INFO_HANDLE_VALID, NONE, 0, NONE, NONE),
                  ZX_ERR_BAD_HANDLE);
    assert_int_equal(SELF->flags, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_model),         TEST(test_slack),   TEST(test_syscall),
        TEST(test_syscall_slack), TEST(test_actions), TEST(test_bad_handle),
    };

    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
