/*
 * A pager-backed VMO and the test as its pager.
 */
#include "paged.h"

#include <zircon/port.h>

static struct paged make(uint64_t pages, uint32_t options)
{
    struct paged p = {.pages = pages};

    ASSERT_OK(zx_pager_create(0, &p.pager));
    ASSERT_OK(zx_port_create(0, &p.port));
    ASSERT_OK(zx_pager_create_vmo(p.pager, options, p.port, PAGED_KEY, pages * PAGE, &p.vmo));
    p.at = map_pages(p.vmo, READ_WRITE, 0, pages);
    return p;
}

struct paged paged_new(uint64_t pages)
{
    return make(pages, 0);
}

struct paged paged_new_resizable(uint64_t pages)
{
    return make(pages, ZX_VMO_RESIZABLE);
}

void paged_close(struct paged *p)
{
    unmap_pages(p->at, p->pages);
    EXPECT_OK(zx_handle_close(p->vmo)); /* 0 is allowed */
    EXPECT_OK(zx_handle_close(p->pager));
    EXPECT_OK(zx_handle_close(p->port));
}

zx_status_t paged_supply(const struct paged *p, uint64_t first, uint64_t pages)
{
    zx_handle_t aux = numbered_vmo(pages, PAGED_WORD(first));
    zx_status_t status =
        zx_pager_supply_pages(p->pager, p->vmo, first * PAGE, pages * PAGE, aux, 0);

    CLOSE(aux);
    return status;
}

zx_status_t paged_fail(const struct paged *p, uint64_t first, uint64_t pages, zx_status_t error)
{
    return zx_pager_op_range(p->pager, ZX_PAGER_OP_FAIL, p->vmo, first * PAGE, pages * PAGE,
                             (uint64_t)(int64_t)error);
}

static bool is_packet(const struct paged *p, uint16_t command, uint64_t first, uint64_t pages)
{
    zx_port_packet_t packet;

    if (zx_port_wait(p->port, soon(), &packet) != ZX_OK)
        return false;
    return packet.key == PAGED_KEY && packet.type == ZX_PKT_TYPE_PAGE_REQUEST &&
           packet.status == ZX_OK && packet.page_request.command == command &&
           packet.page_request.offset == first * PAGE && packet.page_request.length == pages * PAGE;
}

bool paged_request(const struct paged *p, uint64_t first, uint64_t pages)
{
    return is_packet(p, ZX_PAGER_VMO_READ, first, pages);
}

bool paged_complete(const struct paged *p)
{
    return is_packet(p, ZX_PAGER_VMO_COMPLETE, 0, 0);
}

bool paged_is_quiet(const struct paged *p)
{
    zx_port_packet_t packet;

    return zx_port_wait(p->port, 0, &packet) == ZX_ERR_TIMED_OUT;
}

struct task paged_reader(const struct paged *p, uint64_t page, bool mapped)
{
    return (struct task){
        .run = mapped ? reads_memory : reads_vmo,
        .vmo = p->vmo,
        .at = p->at,
        .first = page,
    };
}

struct task paged_committer(const struct paged *p, uint64_t first, uint64_t pages)
{
    return (struct task){.run = commits, .vmo = p->vmo, .first = first, .pages = pages};
}

bool paged_has_read(struct task *task)
{
    return task_end(task) == ZX_OK && task->word == PAGED_WORD(task->first);
}

bool paged_has_failed(struct task *task, zx_status_t status)
{
    if (task->run == reads_memory || task->run == writes_memory)
        return task_crash(task) == ZX_EXCP_FATAL_PAGE_FAULT;
    return task_end(task) == status;
}
