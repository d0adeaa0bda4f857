/*
 * What all kernel objects have in common: their types, signals, properties, and the records that
 * zx_object_get_info returns (Zircon ABI, March 2020; newer topics as marked). padding and reserved
 * members are written as zero and ignored when read.
 */
#ifndef ZIRCON_OBJECT_H
#define ZIRCON_OBJECT_H

#include <zircon/exception.h>
#include <zircon/internal/layout.h>
#include <zircon/limits.h>
#include <zircon/types.h>

/* --- Types --- */

#define ZX_OBJ_TYPE_NONE           ((zx_obj_type_t)0u)
#define ZX_OBJ_TYPE_PROCESS        ((zx_obj_type_t)1u)
#define ZX_OBJ_TYPE_THREAD         ((zx_obj_type_t)2u)
#define ZX_OBJ_TYPE_VMO            ((zx_obj_type_t)3u)
#define ZX_OBJ_TYPE_CHANNEL        ((zx_obj_type_t)4u)
#define ZX_OBJ_TYPE_EVENT          ((zx_obj_type_t)5u)
#define ZX_OBJ_TYPE_PORT           ((zx_obj_type_t)6u)
#define ZX_OBJ_TYPE_INTERRUPT      ((zx_obj_type_t)9u)
#define ZX_OBJ_TYPE_PCI_DEVICE     ((zx_obj_type_t)11u)
#define ZX_OBJ_TYPE_LOG            ((zx_obj_type_t)12u)
#define ZX_OBJ_TYPE_SOCKET         ((zx_obj_type_t)14u)
#define ZX_OBJ_TYPE_RESOURCE       ((zx_obj_type_t)15u)
#define ZX_OBJ_TYPE_EVENTPAIR      ((zx_obj_type_t)16u)
#define ZX_OBJ_TYPE_JOB            ((zx_obj_type_t)17u)
#define ZX_OBJ_TYPE_VMAR           ((zx_obj_type_t)18u)
#define ZX_OBJ_TYPE_FIFO           ((zx_obj_type_t)19u)
#define ZX_OBJ_TYPE_GUEST          ((zx_obj_type_t)20u)
#define ZX_OBJ_TYPE_VCPU           ((zx_obj_type_t)21u)
#define ZX_OBJ_TYPE_TIMER          ((zx_obj_type_t)22u)
#define ZX_OBJ_TYPE_IOMMU          ((zx_obj_type_t)23u)
#define ZX_OBJ_TYPE_BTI            ((zx_obj_type_t)24u)
#define ZX_OBJ_TYPE_PROFILE        ((zx_obj_type_t)25u)
#define ZX_OBJ_TYPE_PMT            ((zx_obj_type_t)26u)
#define ZX_OBJ_TYPE_SUSPEND_TOKEN  ((zx_obj_type_t)27u)
#define ZX_OBJ_TYPE_PAGER          ((zx_obj_type_t)28u)
#define ZX_OBJ_TYPE_EXCEPTION      ((zx_obj_type_t)29u)
#define ZX_OBJ_TYPE_CLOCK          ((zx_obj_type_t)30u)
#define ZX_OBJ_TYPE_STREAM         ((zx_obj_type_t)31u)
#define ZX_OBJ_TYPE_MSI_ALLOCATION ((zx_obj_type_t)32u) /* June 2020 */
#define ZX_OBJ_TYPE_MSI_INTERRUPT  ((zx_obj_type_t)33u) /* June 2020 */
#define ZX_OBJ_TYPE_UPPER_BOUND    ((zx_obj_type_t)64u) /* exclusive; size of per-type tables */

/* --- Signals --- */

#define ZX_SIGNAL_NONE ((zx_signals_t)0x0u)

/* Reported to a waiter whose handle was closed or moved away. */
#define ZX_SIGNAL_HANDLE_CLOSED ((zx_signals_t)0x800000u)

/* The upper eight bits belong to user programs (zx_object_signal), the others to the kernel. */
#define ZX_USER_SIGNAL_ALL ((zx_signals_t)0xff000000u)
#define ZX_USER_SIGNAL_0   ((zx_signals_t)0x1000000u)
#define ZX_USER_SIGNAL_1   ((zx_signals_t)0x2000000u)
#define ZX_USER_SIGNAL_2   ((zx_signals_t)0x4000000u)
#define ZX_USER_SIGNAL_3   ((zx_signals_t)0x8000000u)
#define ZX_USER_SIGNAL_4   ((zx_signals_t)0x10000000u)
#define ZX_USER_SIGNAL_5   ((zx_signals_t)0x20000000u)
#define ZX_USER_SIGNAL_6   ((zx_signals_t)0x40000000u)
#define ZX_USER_SIGNAL_7   ((zx_signals_t)0x80000000u)

#define ZX_EVENT_SIGNALED    ((zx_signals_t)0x8u)
#define ZX_EVENT_SIGNAL_MASK ((zx_signals_t)0xff000008u) /* what zx_object_signal can change */

#define ZX_EVENTPAIR_SIGNALED    ((zx_signals_t)0x8u)
#define ZX_EVENTPAIR_PEER_CLOSED ((zx_signals_t)0x4u)

/* Header value; signalling PEER_CLOSED is refused all the same. */
#define ZX_EVENTPAIR_SIGNAL_MASK ((zx_signals_t)0xff00000cu)

#define ZX_CHANNEL_READABLE    ((zx_signals_t)0x1u)
#define ZX_CHANNEL_WRITABLE    ((zx_signals_t)0x2u)
#define ZX_CHANNEL_PEER_CLOSED ((zx_signals_t)0x4u)

#define ZX_CLOCK_STARTED ((zx_signals_t)0x10u)

#define ZX_SOCKET_READABLE            ((zx_signals_t)0x1u)
#define ZX_SOCKET_WRITABLE            ((zx_signals_t)0x2u)
#define ZX_SOCKET_PEER_CLOSED         ((zx_signals_t)0x4u)
#define ZX_SOCKET_PEER_WRITE_DISABLED ((zx_signals_t)0x10u)
#define ZX_SOCKET_WRITE_DISABLED      ((zx_signals_t)0x20u)
#define ZX_SOCKET_READ_THRESHOLD      ((zx_signals_t)0x400u)
#define ZX_SOCKET_WRITE_THRESHOLD     ((zx_signals_t)0x800u)

#define ZX_FIFO_READABLE    ((zx_signals_t)0x1u)
#define ZX_FIFO_WRITABLE    ((zx_signals_t)0x2u)
#define ZX_FIFO_PEER_CLOSED ((zx_signals_t)0x4u)

/* Jobs, processes and threads share TERMINATED. */
#define ZX_TASK_TERMINATED    ((zx_signals_t)0x8u)
#define ZX_JOB_TERMINATED     ((zx_signals_t)0x8u)
#define ZX_JOB_NO_JOBS        ((zx_signals_t)0x10u)
#define ZX_JOB_NO_PROCESSES   ((zx_signals_t)0x20u)
#define ZX_PROCESS_TERMINATED ((zx_signals_t)0x8u)
#define ZX_THREAD_TERMINATED  ((zx_signals_t)0x8u)
#define ZX_THREAD_RUNNING     ((zx_signals_t)0x10u)
#define ZX_THREAD_SUSPENDED   ((zx_signals_t)0x20u)

#define ZX_LOG_READABLE ((zx_signals_t)0x1u)
#define ZX_LOG_WRITABLE ((zx_signals_t)0x2u)

#define ZX_TIMER_SIGNALED ((zx_signals_t)0x8u)

#define ZX_VMO_ZERO_CHILDREN ((zx_signals_t)0x8u)

/* --- Properties, with the type and the direction of each --- */

#define ZX_PROP_REGISTER_GS                 2u  /* uint64_t; set only, the calling thread itself */
#define ZX_PROP_NAME                        3u  /* char[ZX_MAX_NAME_LEN] */
#define ZX_PROP_REGISTER_FS                 4u  /* uint64_t; set only, the calling thread itself */
#define ZX_PROP_PROCESS_DEBUG_ADDR          5u  /* zx_vaddr_t */
#define ZX_PROCESS_DEBUG_ADDR_BREAK_ON_SET  1u  /* a DEBUG_ADDR: stop once it is set */
#define ZX_PROP_PROCESS_VDSO_BASE_ADDRESS   6u  /* zx_vaddr_t; get only; 0 if not mapped */
#define ZX_PROP_PROCESS_BREAK_ON_LOAD       7u  /* zx_vaddr_t */
#define ZX_PROP_PROCESS_HW_TRACE_CONTEXT_ID 8u  /* zx_vaddr_t; get only; debugging */
#define ZX_PROP_SOCKET_RX_THRESHOLD         12u /* size_t, bytes; 0 disables the signal */
#define ZX_PROP_SOCKET_TX_THRESHOLD         13u /* size_t, bytes; 0 disables the signal */
#define ZX_PROP_JOB_KILL_ON_OOM             15u /* size_t, 0 or 1; set only */
#define ZX_PROP_EXCEPTION_STATE             16u /* uint32_t, one of ZX_EXCEPTION_STATE_* */
#define ZX_PROP_VMO_CONTENT_SIZE            17u /* uint64_t, bytes */

/* --- Information topics, with the record that each returns --- */

#define ZX_INFO_NONE                    ((zx_object_info_topic_t)0u)
#define ZX_INFO_HANDLE_VALID            ((zx_object_info_topic_t)1u)  /* no record */
#define ZX_INFO_HANDLE_BASIC            ((zx_object_info_topic_t)2u)  /* zx_info_handle_basic_t */
#define ZX_INFO_PROCESS                 ((zx_object_info_topic_t)3u)  /* zx_info_process_t */
#define ZX_INFO_PROCESS_THREADS         ((zx_object_info_topic_t)4u)  /* zx_koid_t[n] */
#define ZX_INFO_VMAR                    ((zx_object_info_topic_t)7u)  /* zx_info_vmar_t */
#define ZX_INFO_JOB_CHILDREN            ((zx_object_info_topic_t)8u)  /* zx_koid_t[n] */
#define ZX_INFO_JOB_PROCESSES           ((zx_object_info_topic_t)9u)  /* zx_koid_t[n] */
#define ZX_INFO_THREAD                  ((zx_object_info_topic_t)10u) /* zx_info_thread_t */
#define ZX_INFO_THREAD_EXCEPTION_REPORT ((zx_object_info_topic_t)11u) /* zx_exception_report_t */
#define ZX_INFO_TASK_STATS              ((zx_object_info_topic_t)12u) /* zx_info_task_stats_t */
#define ZX_INFO_PROCESS_MAPS            ((zx_object_info_topic_t)13u) /* zx_info_maps_t[n] */
#define ZX_INFO_PROCESS_VMOS            ((zx_object_info_topic_t)14u) /* zx_info_vmo_t[n] */
#define ZX_INFO_THREAD_STATS            ((zx_object_info_topic_t)15u) /* zx_info_thread_stats_t */
#define ZX_INFO_CPU_STATS               ((zx_object_info_topic_t)16u) /* zx_info_cpu_stats_t[n] */
#define ZX_INFO_KMEM_STATS              ((zx_object_info_topic_t)17u) /* zx_info_kmem_stats_t */
#define ZX_INFO_RESOURCE                ((zx_object_info_topic_t)18u) /* zx_info_resource_t */
#define ZX_INFO_HANDLE_COUNT            ((zx_object_info_topic_t)19u) /* zx_info_handle_count_t */
#define ZX_INFO_BTI                     ((zx_object_info_topic_t)20u) /* zx_info_bti_t */
#define ZX_INFO_PROCESS_HANDLE_STATS    ((zx_object_info_topic_t)21u) /* see the structure below */
#define ZX_INFO_SOCKET                  ((zx_object_info_topic_t)22u) /* zx_info_socket_t */
#define ZX_INFO_VMO                     ((zx_object_info_topic_t)23u) /* zx_info_vmo_t */
#define ZX_INFO_JOB                     ((zx_object_info_topic_t)24u) /* zx_info_job_t */
#define ZX_INFO_TIMER                   ((zx_object_info_topic_t)25u) /* zx_info_timer_t */
#define ZX_INFO_STREAM                  ((zx_object_info_topic_t)26u) /* zx_info_stream_t */
/* zx_info_handle_extended_t[]. */
#define ZX_INFO_HANDLE_TABLE ((zx_object_info_topic_t)27u)
#define ZX_INFO_MSI          ((zx_object_info_topic_t)28u) /* zx_info_msi_t */
#define ZX_INFO_GUEST_STATS  ((zx_object_info_topic_t)29u) /* zx_info_guest_stats_t[n] */

/* A set of CPUs: CPU n is bit n % 64 of word n / 64. */
#define ZX_CPU_SET_BITS_PER_WORD 64u

typedef struct zx_cpu_set {
    uint64_t mask[8];
} zx_cpu_set_t;
ZX_ABI_SIZE(zx_cpu_set_t, 64);

/* info_handle_basic.props */
#define ZX_OBJ_PROP_NONE     0u
#define ZX_OBJ_PROP_WAITABLE 1u /* the object can be waited on */

typedef struct zx_info_handle_basic {
    zx_koid_t koid;
    zx_rights_t rights;
    zx_obj_type_t type;
    zx_koid_t related_koid; /* the peer of a two-ended object, the parent of a task, or 0 */
    uint32_t props;         /* ZX_OBJ_PROP_ */
    uint8_t padding1[4];
} zx_info_handle_basic_t;
ZX_ABI_SIZE(zx_info_handle_basic_t, 32);
ZX_ABI_OFFSET(zx_info_handle_basic_t, props, 24);

typedef struct zx_info_handle_count {
    uint32_t handle_count; /* in all processes; racy by nature */
} zx_info_handle_count_t;
ZX_ABI_SIZE(zx_info_handle_count_t, 4);

typedef struct zx_info_handle_extended {
    zx_obj_type_t type;
    zx_handle_t handle_value; /* as the inspected process knows it */
    zx_rights_t rights;
    uint32_t props;
    zx_koid_t koid;
    zx_koid_t related_koid;
    zx_koid_t peer_owner_koid; /* always 0 */
} zx_info_handle_extended_t;
ZX_ABI_SIZE(zx_info_handle_extended_t, 40);
ZX_ABI_OFFSET(zx_info_handle_extended_t, koid, 16);
ZX_ABI_OFFSET(zx_info_handle_extended_t, peer_owner_koid, 32);

typedef struct zx_info_process_handle_stats {
    uint32_t handle_count[64]; /* indexed by ZX_OBJ_TYPE_ */
} zx_info_process_handle_stats_t;
ZX_ABI_SIZE(zx_info_process_handle_stats_t, 256);

/* Return codes of tasks that the kernel ended. */
#define ZX_TASK_RETCODE_SYSCALL_KILL          ((int64_t)-1024) /* zx_task_kill */
#define ZX_TASK_RETCODE_OOM_KILL              ((int64_t)-1025) /* out of memory */
#define ZX_TASK_RETCODE_POLICY_KILL           ((int64_t)-1026) /* a job policy of action KILL */
#define ZX_TASK_RETCODE_VDSO_KILL             ((int64_t)-1027) /* a call from outside the vDSO */
#define ZX_TASK_RETCODE_EXCEPTION_KILL        ((int64_t)-1028) /* an unhandled exception */
#define ZX_TASK_RETCODE_CRITICAL_PROCESS_KILL ((int64_t)-1029) /* the critical process ended */

typedef struct zx_info_process {
    int64_t return_code; /* valid once exited */
    bool started;
    bool exited;
    bool debugger_attached;
    uint8_t padding1[5];
} zx_info_process_t;
ZX_ABI_SIZE(zx_info_process_t, 16);
ZX_ABI_OFFSET(zx_info_process_t, debugger_attached, 10);

typedef struct zx_info_job {
    int64_t return_code; /* valid once exited */
    bool exited;
    bool kill_on_oom;
    bool debugger_attached;
    uint8_t padding1[5];
} zx_info_job_t;
ZX_ABI_SIZE(zx_info_job_t, 16);
ZX_ABI_OFFSET(zx_info_job_t, debugger_attached, 10);

/* info_thread.state: a state in the low byte; for BLOCKED, the reason in the next one. */
#define ZX_THREAD_STATE_NEW               0x0u
#define ZX_THREAD_STATE_RUNNING           0x1u
#define ZX_THREAD_STATE_SUSPENDED         0x2u
#define ZX_THREAD_STATE_BLOCKED           0x3u
#define ZX_THREAD_STATE_DYING             0x4u
#define ZX_THREAD_STATE_DEAD              0x5u
#define ZX_THREAD_STATE_BLOCKED_EXCEPTION 0x103u
#define ZX_THREAD_STATE_BLOCKED_SLEEPING  0x203u
#define ZX_THREAD_STATE_BLOCKED_FUTEX     0x303u
#define ZX_THREAD_STATE_BLOCKED_PORT      0x403u
#define ZX_THREAD_STATE_BLOCKED_CHANNEL   0x503u
#define ZX_THREAD_STATE_BLOCKED_WAIT_ONE  0x603u
#define ZX_THREAD_STATE_BLOCKED_WAIT_MANY 0x703u
#define ZX_THREAD_STATE_BLOCKED_INTERRUPT 0x803u
#define ZX_THREAD_STATE_BLOCKED_PAGER     0x903u
#define ZX_THREAD_STATE_BASIC(state)      ((state)&0xffu)

typedef struct zx_info_thread {
    uint32_t state;                       /* ZX_THREAD_STATE_ */
    uint32_t wait_exception_channel_type; /* while BLOCKED_EXCEPTION: ZX_EXCEPTION_CHANNEL_TYPE_ */
    zx_cpu_set_t cpu_affinity_mask;
} zx_info_thread_t;
ZX_ABI_SIZE(zx_info_thread_t, 72);
ZX_ABI_OFFSET(zx_info_thread_t, cpu_affinity_mask, 8);

typedef struct zx_info_thread_stats {
    zx_duration_t total_runtime;
    uint32_t last_scheduled_cpu; /* ZX_INFO_INVALID_CPU before the first time */
    uint8_t padding1[4];
} zx_info_thread_stats_t;
ZX_ABI_SIZE(zx_info_thread_stats_t, 16);
ZX_ABI_OFFSET(zx_info_thread_stats_t, last_scheduled_cpu, 8);
#define ZX_INFO_INVALID_CPU 0xffffffffu

typedef struct zx_info_task_stats {
    size_t mem_mapped_bytes;        /* virtual */
    size_t mem_private_bytes;       /* committed, in this task only */
    size_t mem_shared_bytes;        /* committed, also mapped elsewhere */
    size_t mem_scaled_shared_bytes; /* each shared page divided by its number of users */
} zx_info_task_stats_t;
ZX_ABI_SIZE(zx_info_task_stats_t, 32);
ZX_ABI_OFFSET(zx_info_task_stats_t, mem_scaled_shared_bytes, 24);

typedef struct zx_info_vmar {
    zx_vaddr_t base;
    uint64_t len;
} zx_info_vmar_t;
ZX_ABI_SIZE(zx_info_vmar_t, 16);
ZX_ABI_OFFSET(zx_info_vmar_t, len, 8);

/* One line of a process's memory map, in depth-first order. */
#define ZX_INFO_MAPS_TYPE_NONE    0u
#define ZX_INFO_MAPS_TYPE_ASPACE  1u
#define ZX_INFO_MAPS_TYPE_VMAR    2u
#define ZX_INFO_MAPS_TYPE_MAPPING 3u

typedef struct zx_info_maps_mapping {
    uint32_t mmu_flags; /* set of ZX_VM_PERM_ */
    uint8_t padding1[4];
    zx_koid_t vmo_koid;
    uint64_t vmo_offset;
    size_t committed_pages;
} zx_info_maps_mapping_t;
ZX_ABI_SIZE(zx_info_maps_mapping_t, 32);
ZX_ABI_OFFSET(zx_info_maps_mapping_t, committed_pages, 24);

typedef struct zx_info_maps {
    char name[ZX_MAX_NAME_LEN];
    zx_vaddr_t base;
    size_t size;
    size_t depth;
    uint32_t type; /* ZX_INFO_MAPS_TYPE_ */
    uint8_t padding1[4];
    union {
        zx_info_maps_mapping_t mapping; /* valid if type is MAPPING */
    } u;
} zx_info_maps_t;
ZX_ABI_SIZE(zx_info_maps_t, 96);
ZX_ABI_OFFSET(zx_info_maps_t, type, 56);
ZX_ABI_OFFSET(zx_info_maps_t, u, 64);

/* info_vmo.flags */
#define ZX_INFO_VMO_TYPE_PAGED    0x1u
#define ZX_INFO_VMO_TYPE_PHYSICAL 0x0u
#define ZX_INFO_VMO_RESIZABLE     0x2u
#define ZX_INFO_VMO_IS_COW_CLONE  0x4u
#define ZX_INFO_VMO_VIA_HANDLE    0x8u
#define ZX_INFO_VMO_VIA_MAPPING   0x10u
#define ZX_INFO_VMO_PAGER_BACKED  0x20u
#define ZX_INFO_VMO_CONTIGUOUS    0x40u

typedef struct zx_info_vmo {
    zx_koid_t koid;
    char name[32];
    uint64_t size_bytes;
    zx_koid_t parent_koid; /* 0 unless it is a child */
    size_t num_children;
    size_t num_mappings;
    size_t share_count; /* processes that map it */
    uint32_t flags;     /* ZX_INFO_VMO_ */
    uint8_t padding1[4];
    uint64_t committed_bytes;
    zx_rights_t handle_rights; /* of the handle it was found through, if VIA_HANDLE */
    uint32_t cache_policy;     /* ZX_CACHE_POLICY_ */
} zx_info_vmo_t;
ZX_ABI_SIZE(zx_info_vmo_t, 104);
ZX_ABI_OFFSET(zx_info_vmo_t, share_count, 72);
ZX_ABI_OFFSET(zx_info_vmo_t, cache_policy, 100);

/* info_cpu_stats.flags */
#define ZX_INFO_CPU_STATS_FLAG_ONLINE 0x1u

typedef struct zx_info_cpu_stats {
    uint32_t cpu_number;
    uint32_t flags;
    zx_duration_t idle_time;
    uint64_t reschedules;
    uint64_t context_switches;
    uint64_t irq_preempts;
    uint64_t preempts;
    uint64_t yields;
    uint64_t ints;
    uint64_t timer_ints;
    uint64_t timers;
    uint64_t page_faults;
    uint64_t exceptions; /* always 0 */
    uint64_t syscalls;
    uint64_t reschedule_ipis;
    uint64_t generic_ipis;
} zx_info_cpu_stats_t;
ZX_ABI_SIZE(zx_info_cpu_stats_t, 120);
ZX_ABI_OFFSET(zx_info_cpu_stats_t, ints, 56);
ZX_ABI_OFFSET(zx_info_cpu_stats_t, generic_ipis, 112);

typedef struct zx_info_kmem_stats {
    uint64_t total_bytes;
    uint64_t free_bytes;
    uint64_t wired_bytes;
    uint64_t total_heap_bytes;
    uint64_t free_heap_bytes;
    uint64_t vmo_bytes;
    uint64_t mmu_overhead_bytes;
    uint64_t ipc_bytes;
    uint64_t other_bytes;
} zx_info_kmem_stats_t;
ZX_ABI_SIZE(zx_info_kmem_stats_t, 72);
ZX_ABI_OFFSET(zx_info_kmem_stats_t, vmo_bytes, 40);
ZX_ABI_OFFSET(zx_info_kmem_stats_t, other_bytes, 64);

typedef struct zx_info_resource {
    uint32_t kind;  /* ZX_RSRC_KIND_ */
    uint32_t flags; /* ZX_RSRC_FLAG_ */
    uint64_t base;
    size_t size;
    char name[32];
} zx_info_resource_t;
ZX_ABI_SIZE(zx_info_resource_t, 56);
ZX_ABI_OFFSET(zx_info_resource_t, name, 24);

typedef struct zx_info_bti {
    uint64_t minimum_contiguity;
    uint64_t aspace_size;
    uint64_t pmo_count; /* pinned memory objects; the 2019 record ended before this member */
    uint64_t quarantine_count;
} zx_info_bti_t;
ZX_ABI_SIZE(zx_info_bti_t, 32);
ZX_ABI_OFFSET(zx_info_bti_t, quarantine_count, 24);

typedef struct zx_info_socket {
    uint32_t options; /* ZX_SOCKET_STREAM or ZX_SOCKET_DATAGRAM */
    uint8_t padding1[4];
    size_t rx_buf_max;
    size_t rx_buf_size;
    size_t rx_buf_available;
    size_t tx_buf_max;
    size_t tx_buf_size;
} zx_info_socket_t;
ZX_ABI_SIZE(zx_info_socket_t, 48);
ZX_ABI_OFFSET(zx_info_socket_t, rx_buf_available, 24);
ZX_ABI_OFFSET(zx_info_socket_t, tx_buf_size, 40);

typedef struct zx_info_timer {
    uint32_t options; /* ZX_TIMER_SLACK_ */
    uint8_t padding1[4];
    zx_time_t deadline; /* 0 if not set */
    zx_duration_t slack;
} zx_info_timer_t;
ZX_ABI_SIZE(zx_info_timer_t, 24);
ZX_ABI_OFFSET(zx_info_timer_t, slack, 16);

typedef struct zx_info_stream {
    uint32_t options; /* ZX_STREAM_MODE_ */
    uint8_t padding1[4];
    zx_off_t seek;
    uint64_t content_size;
} zx_info_stream_t;
ZX_ABI_SIZE(zx_info_stream_t, 24);
ZX_ABI_OFFSET(zx_info_stream_t, content_size, 16);

typedef struct zx_info_msi {
    uint64_t target_addr;
    uint32_t target_data;
    uint32_t base_irq_id;
    uint32_t num_irq;
    uint32_t unused;
} zx_info_msi_t;
ZX_ABI_SIZE(zx_info_msi_t, 24);
ZX_ABI_OFFSET(zx_info_msi_t, unused, 20);

typedef struct zx_info_guest_stats {
    uint32_t cpu_number;
    uint32_t flags;
    uint64_t vm_entries;
    uint64_t vm_exits;
    uint64_t interrupts;
    uint64_t interrupt_windows;
    uint64_t cpuid_instructions;
    uint64_t hlt_instructions;
    uint64_t control_register_accesses;
    uint64_t io_instructions;
    uint64_t rdmsr_instructions;
    uint64_t wrmsr_instructions;
    uint64_t ept_violations;
    uint64_t xsetbv_instructions;
    uint64_t pause_instructions;
    uint64_t vmcall_instructions;
} zx_info_guest_stats_t;
ZX_ABI_SIZE(zx_info_guest_stats_t, 120);
ZX_ABI_OFFSET(zx_info_guest_stats_t, control_register_accesses, 56);
ZX_ABI_OFFSET(zx_info_guest_stats_t, vmcall_instructions, 112);

#endif
