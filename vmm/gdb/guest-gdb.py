"""Commands of gdb for the kernel in guest.elf, of a running machine or a core file.

  zx-ps              jobs, processes and threads
  zx-handles [PID]   the handles of a process, or of the one that is running
  zx-wait [TID]      what a thread waits for, or what every thread does

Load it with: source guest-gdb.py. Everything is read through the kernel's own types; see
docs/debugging.md.
"""

import gdb

LIMIT = 100000  # elements of a list: the guest's memory may be damaged


def fail(text):
    raise gdb.GdbError(text)


def static(name):
    """A static variable or enumerator: of several declarations, the one that has a value."""
    for symbol in gdb.lookup_static_symbols(name):
        value = symbol.value()
        if not value.is_optimized_out:
            return value
    fail('There is no %s here: is this guest.elf, with its debugging information?' % name)


def cpu():
    return static('boot_cpu')


def kernel():
    """The kernel's roots."""
    found = cpu()['kernel']
    if int(found) == 0:
        fail('The kernel has not started yet.')
    return found.dereference()


def queue(head, link):
    """The elements of a TAILQ whose entries are linked by the member `link`."""
    at = head['tqh_first']
    for _ in range(LIMIT):
        if int(at) == 0:
            return
        yield at.dereference()
        at = at[link]['tqe_next']
    fail('A list has no end: the kernel\'s memory is damaged.')


def name_of(value):
    return value['name'].string('utf-8', 'replace', length=32).split('\0')[0]


def enumerator(value, prefix):
    text = str(value)
    return text[len(prefix):].lower() if text.startswith(prefix) else text


def jobs(job, depth=0):
    """The job and all below it, with their depth."""
    yield job, depth
    for child in queue(job['jobs'], 'sibling_link'):
        yield from jobs(child, depth + 1)


def processes():
    for job, _ in jobs(kernel()['root_job'].dereference()):
        yield from queue(job['processes'], 'job_link')


def threads(process):
    yield from queue(process['threads'], 'process_link')


def koid(value):
    return int(value['object']['koid'])


def words(object_pointer):
    """An object as people write it: event 1042."""
    if int(object_pointer) == 0:
        return 'nothing'
    target = object_pointer.dereference()
    try:
        kind = target['ops']['name'].string()
    except gdb.error:
        return 'something at %#x that is no object' % int(object_pointer)
    text = '%s %d' % (kind, int(target['koid']))
    if kind in ('process', 'thread', 'job', 'vmo'):
        try:
            concrete = object_pointer.cast(gdb.lookup_type('struct ' + kind).pointer())
            text += " '%s'" % name_of(concrete.dereference())
        except gdb.error:
            pass
    return text


def argument_number(text, what):
    try:
        return int(text, 0)
    except ValueError:
        fail("'%s' is no %s: give its number." % (text, what))


# ---- What a thread waits for ----------------------------------------------------------------------


def signals(mask):
    return 'signals %#x' % int(mask)


def wait_one(wait):
    observer = wait['u']['one']['observer']
    return '%s of %s' % (signals(observer['trigger']), words(observer['object']))


def wait_many(wait):
    many = wait['u']['many']
    parts = []
    for i in range(min(int(many['count']), 64)):
        observer = many['items'][i]['observer']
        parts.append('%s of %s' % (signals(observer['trigger']), words(observer['object'])))
    return ', '.join(parts)


def wait_port(wait):
    port = wait['u']['port']['port']
    return words(port.dereference()['object'].address) if int(port) else 'a port that is gone'


def wait_call(wait):
    channel = wait['call']['channel']
    if int(channel) == 0:
        return 'a reply'
    return 'the reply to message %d on %s' % (int(wait['call']['txid']),
                                              words(channel.dereference()['object'].address))


def wait_interrupt(wait):
    interrupt = wait['u']['interrupt']['interrupt']
    return words(interrupt.dereference()['object'].address)


WAITS = {
    'object_wait_one': wait_one,
    'object_wait_many': wait_many,
    'port_wait': wait_port,
    'channel_call': wait_call,
    'channel_call_noretry': wait_call,
    'interrupt_wait': wait_interrupt,
}


def what(thread):
    """What a thread does, in words."""
    state = enumerator(thread['state'], 'THREAD_')
    kind = thread['wait']['kind']
    if state != 'blocked' or int(kind) == 0:
        return state
    name = kind['name'].string()
    text = name
    try:
        if name in WAITS:
            text += ': ' + WAITS[name](thread['wait'])
    except gdb.error as reason:
        text += ': (%s)' % reason
    return '%s, since %.3f s' % (text, int(thread['wait']['since']) / 1e9)


# ---- Commands -------------------------------------------------------------------------------------


class Ps(gdb.Command):
    """zx-ps: list the kernel's jobs, processes and threads."""

    def __init__(self):
        super().__init__('zx-ps', gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        current = cpu()['current']
        for job, depth in jobs(kernel()['root_job'].dereference()):
            margin = '  ' * depth
            print("%sjob %d '%s'" % (margin, koid(job), name_of(job)))
            for process in queue(job['processes'], 'job_link'):
                print("%s  process %d '%s' %s, %d handles" %
                      (margin, koid(process), name_of(process),
                       enumerator(process['state'], 'PROCESS_'), int(process['handles']['count'])))
                for thread in threads(process):
                    mark = ' (current)' if int(thread.address) == int(current) else ''
                    print("%s    thread %d '%s' %s%s" %
                          (margin, koid(thread), name_of(thread), what(thread), mark))


class Handles(gdb.Command):
    """zx-handles [PID]: list the handles of a process; without PID, of the running one."""

    def __init__(self):
        super().__init__('zx-handles', gdb.COMMAND_STATUS)

    @staticmethod
    def find(argument):
        if argument:
            pid = argument_number(argument, 'process')
            for process in processes():
                if koid(process) == pid:
                    return process
            fail('There is no process %d: zx-ps lists them.' % pid)
        current = cpu()['current']
        if int(current) == 0:
            fail('No thread is running: give a process, zx-ps lists them.')
        return current['process'].dereference()

    @staticmethod
    def slots(table):
        """The slots that hold a handle. A chunk is an array of a constant number of them."""
        left = int(table['num_slots'])
        chunks = int(table['num_chunks'])
        if chunks > LIMIT or left > LIMIT * 64:
            fail('The handle table is damaged.')
        size = int(static('CHUNK_SLOTS'))
        for i in range(chunks):
            for j in range(min(size, left)):
                slot = table['chunks'][i][j]
                if int(slot['object']) != 0:
                    yield slot
            left -= size

    def invoke(self, argument, from_tty):
        process = self.find(argument.strip())
        print("process %d '%s'" % (koid(process), name_of(process)))
        print('  %-10s %-10s %s' % ('handle', 'rights', 'object'))
        for slot in self.slots(process['handles']):
            print('  %#010x %#010x %s' %
                  (int(slot['value']), int(slot['rights']), words(slot['object'])))


class Wait(gdb.Command):
    """zx-wait [TID]: say what a thread waits for; without TID, what every thread does."""

    def __init__(self):
        super().__init__('zx-wait', gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        argument = argument.strip()
        tid = argument_number(argument, 'thread') if argument else None
        found = False
        for process in processes():
            for thread in threads(process):
                if tid is None or koid(thread) == tid:
                    found = True
                    print("thread %d '%s' of process %d '%s': %s" %
                          (koid(thread), name_of(thread), koid(process), name_of(process),
                           what(thread)))
        if tid is not None and not found:
            fail('There is no thread %d: zx-ps lists them.' % tid)


Ps()
Handles()
Wait()
