/*
 * The whole user<->kernel interface in one include, for programs that do not care which part of it
 * they use.
 */
#ifndef ZIRCON_ZIRCON_H
#define ZIRCON_ZIRCON_H

#include <zircon/clock.h>
#include <zircon/device.h>
#include <zircon/errors.h>
#include <zircon/exception.h>
#include <zircon/features.h>
#include <zircon/hypervisor.h>
#include <zircon/iommu.h>
#include <zircon/ipc.h>
#include <zircon/limits.h>
#include <zircon/ktrace.h>
#include <zircon/log.h>
#include <zircon/object.h>
#include <zircon/pci.h>
#include <zircon/policy.h>
#include <zircon/port.h>
#include <zircon/processargs.h>
#include <zircon/profile.h>
#include <zircon/resource.h>
#include <zircon/rights.h>
#include <zircon/syscalls.h>
#include <zircon/system.h>
#include <zircon/thread-state.h>
#include <zircon/time.h>
#include <zircon/types.h>
#include <zircon/vdso.h>
#include <zircon/vm.h>
#include <zircon/zbi.h>

#endif
