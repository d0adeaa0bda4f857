/*
 * Thread-specific data. A key is an index into each thread's vector of values.
 */
#include "musl.h"
#include "thread.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <threads.h>

typedef void (*destructor_t)(void *);

static volatile int lock;
static struct {
    bool used;
    destructor_t destructor;
} keys[PTHREAD_KEYS_MAX];

int pthread_key_create(pthread_key_t *key, destructor_t destructor)
{
    int error = EAGAIN;

    __lock(&lock);
    for (unsigned i = 0; i < PTHREAD_KEYS_MAX && error; i++) {
        if (!keys[i].used) {
            keys[i].used = true;
            keys[i].destructor = destructor;
            *key = i;
            error = 0;
        }
    }
    __unlock(&lock);
    return error;
}

/* A later key of the same index may see values of this one: its owner has to have cleared them. */
int pthread_key_delete(pthread_key_t key)
{
    __lock(&lock);
    keys[key].used = false;
    keys[key].destructor = NULL;
    __unlock(&lock);
    return 0;
}

void *pthread_getspecific(pthread_key_t key)
{
    struct thread *self = thread_self();

    return self->specific ? self->specific[key] : NULL;
}

int pthread_setspecific(pthread_key_t key, const void *value)
{
    struct thread *self = thread_self();

    if (!self->specific) {
        self->specific = calloc(PTHREAD_KEYS_MAX, sizeof(void *));
        if (!self->specific)
            return ENOMEM;
    }
    self->specific[key] = (void *)value;
    return 0;
}

static bool run_once_for_each(struct thread *self)
{
    bool any = false;

    for (unsigned i = 0; i < PTHREAD_KEYS_MAX; i++) {
        void *value = self->specific[i];
        __lock(&lock);
        destructor_t destructor = keys[i].destructor;
        __unlock(&lock);
        self->specific[i] = NULL;
        if (value && destructor) {
            destructor(value);
            any = true;
        }
    }
    return any;
}

void thread_run_key_destructors(void)
{
    struct thread *self = thread_self();

    if (!self->specific)
        return;
    for (int i = 0; i < PTHREAD_DESTRUCTOR_ITERATIONS && run_once_for_each(self); i++)
        ;
    free(self->specific);
    self->specific = NULL;
}

int tss_create(tss_t *key, tss_dtor_t destructor)
{
    return pthread_key_create(key, destructor) == 0 ? thrd_success : thrd_error;
}

void tss_delete(tss_t key)
{
    pthread_key_delete(key);
}

void *tss_get(tss_t key)
{
    return pthread_getspecific(key);
}

int tss_set(tss_t key, void *value)
{
    return pthread_setspecific(key, value) == 0 ? thrd_success : thrd_error;
}
