/*
 * wait.pml - a model of how a thread blocks (wait.c), for the model checker Spin.
 *
 * One thread calls port_wait until it has had a packet for each call or was killed. Four others end
 * its waits: two that queue packets (wake), the timer (deadline), one that suspends and resumes it
 * and one that kills it (cancel). What the kernel does without interruption is a critical section
 * here, so the model also holds for more than one CPU with one kernel lock.
 *
 * Checked in every order of events:
 *   - a wait is ended once, and whoever ends it takes the record off every queue (`leave`);
 *   - no wake is lost: nobody waits while there is something to be had;
 *   - no packet is lost or given twice, whatever else happens at the same moment;
 *   - a deadline ends the wait it was set for, not a later one;
 *   - a killed thread gets to its end: no state from which nothing goes on.
 *
 * Each mistake below can be made with -D; tests/model/wait.t sees to it that Spin finds it.
 *   LOOK_THEN_LINK   the queue is looked at in one critical section, the record linked in the next
 *   GRANT_THEN_END   the packet is handed over without looking whether the wait was ended meanwhile
 *   FORGET_TIMER     the end leaves the deadline armed
 *   FORGET_FLAGS     a wait begins although the thread was killed or suspended before it
 */
mtype = { NOTHING, OK, TIMED_OUT, KILLED, RETRY };

#define CALLS 3 /* more than there are packets: the last wait needs another end */

bool locked;

/* The wait record. */
bool waiting;         /* kind is set */
bool ended;           /* finish is still to come */
mtype result = NOTHING;
bool granted;         /* the waker left a packet in it */
bool linked;          /* in the port's queue of waiting threads */
bool armed;           /* in the queue of deadlines */
byte wait_number, timer_number; /* which wait it is, and which one the deadline is for */

/* The thread. */
bool ready, dead, killed, suspended;
byte received;

/* The port. */
byte queued, sent;

inline enter()
{
    atomic { !locked -> locked = true }
}

/* What holds whenever nobody is in the kernel. */
inline leave()
{
    d_step {
        assert(!(linked && queued > 0));
        assert(!(linked && (!waiting || ended)));
        assert(!(armed && (!waiting || ended)));
        assert(!(ready && waiting && !ended));
        assert(!ended || ready);
        assert(sent == received + queued + granted);
        locked = false
    }
}

/* wait_end: the first caller wins. */
inline end_wait(status)
{
    if
    :: waiting && !ended ->
        ended = true;
        result = status;
        linked = false;
#ifndef FORGET_TIMER
        armed = false;
#endif
        ready = true
    :: else
    fi
}

/* wait_begin: what would have ended the wait may have happened already. */
inline begin_wait()
{
    assert(!waiting && !armed);
    wait_number++;
    waiting = true;
    ended = false;
    result = NOTHING;
    linked = true;
    ready = false;
    if
#ifndef FORGET_FLAGS
    :: killed -> end_wait(KILLED)
    :: !killed && suspended -> end_wait(RETRY)
    :: !killed && !suspended ->
#else
    :: true ->
#endif
        if
        :: end_wait(TIMED_OUT) /* a deadline in the past */
        :: armed = true; timer_number = wait_number
        :: skip /* no deadline */
        fi
    fi
}

/* Takes what the waker left, as the kind's finish does; also for a thread that is to die. */
inline finish()
{
    if
    :: granted -> granted = false; received++
    :: else
    fi;
    waiting = false;
    ended = false
}

active proctype thread()
{
    byte calls = 0;

    ready = true;
    do
    :: killed || calls == CALLS -> break
    :: else ->
        enter(); /* settles what happened to it before it runs user code */
        if
        :: killed -> leave(); break
        :: !killed && suspended -> leave(); (!suspended || killed)
        :: else ->
            leave(); /* user code, during which anything may happen */
            enter();
            if
            :: queued > 0 -> queued--; received++; calls++; leave() /* try */
            :: else ->
#ifdef LOOK_THEN_LINK
                leave();
                enter();
#endif
                begin_wait(); /* block */
                leave();
                ready; /* another thread runs */
                enter();
                assert(ended && result != NOTHING);
                assert(!(result == OK) || granted);
                if
                :: result != RETRY -> calls++
                :: else
                fi;
                finish();
                leave()
            fi
        fi
    od;
    dead = true
}

/* port_queue */
active [2] proctype waker()
{
    enter();
    sent++;
    if
    :: linked ->
#ifdef GRANT_THEN_END
        queued++;
        leave();
        enter();
        queued--;
#endif
        granted = true;
        end_wait(OK)
    :: else -> queued++
    fi;
    leave()
}

active proctype timer()
{
    do
    :: dead -> break
    :: armed ->
        enter();
        if
        :: armed ->
            assert(timer_number == wait_number);
            armed = false;
            end_wait(TIMED_OUT)
        :: else
        fi;
        leave()
    od
}

active proctype suspender()
{
    enter();
    suspended = true;
    end_wait(RETRY);
    leave();
    enter();
    suspended = false;
    leave()
}

active proctype killer()
{
    enter();
    killed = true;
    end_wait(KILLED);
    leave()
}
