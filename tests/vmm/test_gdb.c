/* test_gdb.c - packets as gdb sends them and as it never would; what a page table maps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "gdb/core.h"
#include "gdb/hex.h"
#include "gdb/link.h"
#include "longmode.h"

/* ---- Packets -------------------------------------------------------------------------------- */

struct pair {
    struct link link;
    int gdb;
};

static int set_up(void **state)
{
    struct pair *pair = calloc(1, sizeof(*pair));
    int fds[2];
    assert_non_null(pair);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    pair->link.listener = -1;
    pair->link.fd = fds[0];
    pair->link.acknowledge = true;
    pair->gdb = fds[1];
    *state = pair;
    return 0;
}

static int tear_down(void **state)
{
    struct pair *pair = *state;
    link_drop(&pair->link);
    close(pair->gdb);
    free(pair);
    return 0;
}

static void say(struct pair *pair, const char *text)
{
    assert_int_equal(write(pair->gdb, text, strlen(text)), strlen(text));
}

static void expect_answer(struct pair *pair, const char *text)
{
    char got[256] = "";
    ssize_t length = read(pair->gdb, got, sizeof(got) - 1);
    assert_int_equal(length, strlen(text));
    assert_string_equal(got, text);
}

static void takes_packets(void **state)
{
    struct pair *pair = *state;
    say(pair, "+$g#67$m10,8#32");
    assert_int_equal(link_receive(&pair->link, false), LINK_PACKET);
    assert_string_equal(pair->link.packet, "g");
    expect_answer(pair, "+");
    assert_int_equal(link_receive(&pair->link, false), LINK_PACKET);
    assert_string_equal(pair->link.packet, "m10,8");
    assert_int_equal(link_receive(&pair->link, false), LINK_NOTHING);
}

static void takes_packets_in_pieces(void **state)
{
    struct pair *pair = *state;
    static const char *const pieces[] = {"$", "X0,1:", "}", "\x03", "#"};
    for (unsigned i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        say(pair, pieces[i]);
        assert_int_equal(link_receive(&pair->link, false), LINK_NOTHING);
    }
    say(pair, "9f");
    assert_int_equal(link_receive(&pair->link, false), LINK_PACKET);
    assert_int_equal(pair->link.packet_length, 6);
    assert_int_equal(pair->link.packet[5], '#'); /* what the escape stands for */
}

static void refuses_wrong_sums(void **state)
{
    struct pair *pair = *state;
    say(pair, "$g#00");
    assert_int_equal(link_receive(&pair->link, false), LINK_NOTHING);
    expect_answer(pair, "-");
    say(pair, "$g#67");
    assert_int_equal(link_receive(&pair->link, false), LINK_PACKET);
}

static void takes_interrupts(void **state)
{
    struct pair *pair = *state;
    say(pair, "+\003noise$g#67");
    assert_int_equal(link_receive(&pair->link, false), LINK_INTERRUPT);
    assert_int_equal(link_receive(&pair->link, false), LINK_PACKET);
}

/* Longer than what was promised: it is dropped, and what follows is read again. */
static void survives_long_packets(void **state)
{
    struct pair *pair = *state;
    char block[1024];
    memset(block, 'x', sizeof(block));
    say(pair, "$");
    for (int i = 0; i < 40; i++) {
        assert_int_equal(write(pair->gdb, block, sizeof(block)), sizeof(block));
        assert_int_not_equal(link_receive(&pair->link, false), LINK_PACKET);
    }
    say(pair, "#00$g#67");
    assert_int_equal(link_receive(&pair->link, false), LINK_PACKET);
    assert_string_equal(pair->link.packet, "g");
}

static void sees_the_end(void **state)
{
    struct pair *pair = *state;
    shutdown(pair->gdb, SHUT_WR);
    assert_int_equal(link_receive(&pair->link, true), LINK_CLOSED);
    assert_int_equal(pair->link.fd, -1);
}

static void escapes_what_it_sends(void **state)
{
    struct pair *pair = *state;
    link_send(&pair->link, "a$b", 3);
    expect_answer(pair, "$a}\004b#44");
}

static void reads_numbers(void **state)
{
    const char *at = "1fG";
    uint64_t value;
    uint8_t bytes[2];
    (void)state;
    assert_true(hex_number(&at, &value));
    assert_int_equal(value, 0x1f);
    assert_false(hex_number(&at, &value));
    assert_true(hex_skip(&at, 'G'));
    assert_true(hex_read("00ff", bytes, 2));
    assert_int_equal(bytes[1], 0xff);
    assert_false(hex_read("00f", bytes, 2));
}

/* ---- What a page table maps ----------------------------------------------------------------- */

enum { PAGES = 16, ENTRIES = 512 };

struct machine {
    uint64_t page[PAGES][ENTRIES];
    struct target target;
    struct core_ranges ranges;
};

static struct machine *new_machine(void)
{
    struct machine *machine = calloc(1, sizeof(*machine));
    assert_non_null(machine);
    machine->target.memory = (const uint8_t *)machine->page;
    machine->target.memory_bytes = sizeof(machine->page);
    machine->ranges.tables_left = 1000;
    return machine;
}

static void free_machine(struct machine *machine)
{
    free(machine->ranges.range);
    free(machine);
}

static void link_tables(struct machine *machine, unsigned slot)
{
    machine->page[0][slot] = 1 * PAGE_BYTES | PTE_PRESENT | PTE_WRITE | PTE_USER;
    machine->page[1][0] = 2 * PAGE_BYTES | PTE_PRESENT | PTE_WRITE | PTE_USER;
    machine->page[2][0] = 3 * PAGE_BYTES | PTE_PRESENT | PTE_WRITE | PTE_USER;
}

static void joins_neighbours(void **state)
{
    struct machine *machine = new_machine();
    const struct core_range *range;
    (void)state;
    link_tables(machine, 256);
    for (unsigned i = 0; i < 3; i++)
        machine->page[3][i] = (4 + i) * PAGE_BYTES | PTE_PRESENT;
    machine->page[3][3] = 9 * PAGE_BYTES | PTE_PRESENT;
    machine->page[3][4] = 0x1000000 | PTE_PRESENT; /* no RAM there */
    assert_int_equal(core_ranges_add(&machine->ranges, &machine->target, 0, true, 0), 0);
    core_ranges_sort(&machine->ranges);
    range = machine->ranges.range;
    assert_int_equal(machine->ranges.count, 2);
    assert_true(range[0].vaddr == 0xffff800000000000);
    assert_int_equal(range[0].bytes, 3 * PAGE_BYTES);
    assert_int_equal(range[1].paddr, 9 * PAGE_BYTES);
    free_machine(machine);
}

static void keeps_the_first_of_two_owners(void **state)
{
    struct machine *machine = new_machine();
    (void)state;
    link_tables(machine, 0);
    machine->page[3][1] = 4 * PAGE_BYTES | PTE_PRESENT | PTE_USER;
    machine->page[3][2] = 7 * PAGE_BYTES | PTE_PRESENT; /* not user's */
    assert_int_equal(core_ranges_add(&machine->ranges, &machine->target, 0, false, 5), 0);
    machine->page[3][1] = 6 * PAGE_BYTES | PTE_PRESENT | PTE_USER;
    assert_int_equal(core_ranges_add(&machine->ranges, &machine->target, 0, false, 2), 0);
    core_ranges_sort(&machine->ranges);
    assert_int_equal(machine->ranges.count, 1);
    assert_int_equal(machine->ranges.range[0].paddr, 6 * PAGE_BYTES);
    free_machine(machine);
}

/* A table that maps itself has 512^4 paths. */
static void survives_loops(void **state)
{
    struct machine *machine = new_machine();
    (void)state;
    for (unsigned i = 0; i < ENTRIES; i++)
        machine->page[0][i] = PTE_PRESENT | PTE_USER;
    assert_int_equal(core_ranges_add(&machine->ranges, &machine->target, 0, true, 0), 0);
    core_ranges_sort(&machine->ranges);
    assert_true(machine->ranges.count < 65535);
    assert_int_equal(machine->ranges.tables_left, 0);
    free_machine(machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(takes_packets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_packets_in_pieces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_wrong_sums, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_interrupts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(survives_long_packets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sees_the_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(escapes_what_it_sends, set_up, tear_down),
        cmocka_unit_test(reads_numbers),
        cmocka_unit_test(joins_neighbours),
        cmocka_unit_test(keeps_the_first_of_two_owners),
        cmocka_unit_test(survives_loops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
