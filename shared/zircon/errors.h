/*
 * Status codes (Zircon ABI, March 2020; names and values as in the string table of that vDSO). They
 * are grouped by tens: 1.. general, 10.. the request, 20.. the state of an object, 30 access, 40..
 * devices, 50.. file systems, 60.. control flow, 70.. networking.
 */
#ifndef ZIRCON_ERRORS_H
#define ZIRCON_ERRORS_H

#include <zircon/types.h>

#define ZX_OK                      ((zx_status_t)0)
#define ZX_ERR_INTERNAL            ((zx_status_t)-1) /* the kernel met a state it cannot explain */
#define ZX_ERR_NOT_SUPPORTED       ((zx_status_t)-2) /* not for this object or configuration */
#define ZX_ERR_NO_RESOURCES        ((zx_status_t)-3) /* a limit other than memory was reached */
#define ZX_ERR_NO_MEMORY           ((zx_status_t)-4) /* an allocation failed */
#define ZX_ERR_INTERNAL_INTR_RETRY ((zx_status_t)-6) /* interrupted wait; only the vDSO sees it */

#define ZX_ERR_INVALID_ARGS     ((zx_status_t)-10) /* an argument or user address is wrong */
#define ZX_ERR_BAD_HANDLE       ((zx_status_t)-11) /* no such handle in this process */
#define ZX_ERR_WRONG_TYPE       ((zx_status_t)-12) /* the handle is to an object of another type */
#define ZX_ERR_BAD_SYSCALL      ((zx_status_t)-13) /* no such number, or not from the vDSO */
#define ZX_ERR_OUT_OF_RANGE     ((zx_status_t)-14) /* well-formed, but not possible here */
#define ZX_ERR_BUFFER_TOO_SMALL ((zx_status_t)-15) /* the result does not fit */

#define ZX_ERR_BAD_STATE      ((zx_status_t)-20) /* the object is not in a state that allows this */
#define ZX_ERR_TIMED_OUT      ((zx_status_t)-21) /* the deadline passed first */
#define ZX_ERR_SHOULD_WAIT    ((zx_status_t)-22) /* nothing to read or no room at present */
#define ZX_ERR_CANCELED       ((zx_status_t)-23) /* given up, as when a waited handle is closed */
#define ZX_ERR_PEER_CLOSED    ((zx_status_t)-24) /* the other end no longer exists */
#define ZX_ERR_NOT_FOUND      ((zx_status_t)-25) /* no entity of that name, id or address */
#define ZX_ERR_ALREADY_EXISTS ((zx_status_t)-26) /* it exists already */
#define ZX_ERR_ALREADY_BOUND  ((zx_status_t)-27) /* it is taken by another binding */
#define ZX_ERR_UNAVAILABLE    ((zx_status_t)-28) /* the subject cannot serve at present */

#define ZX_ERR_ACCESS_DENIED ((zx_status_t)-30) /* a right or a policy is missing */

#define ZX_ERR_IO                 ((zx_status_t)-40) /* a device failed without saying how */
#define ZX_ERR_IO_REFUSED         ((zx_status_t)-41) /* the device declined the request */
#define ZX_ERR_IO_DATA_INTEGRITY  ((zx_status_t)-42) /* stored data fails its check */
#define ZX_ERR_IO_DATA_LOSS       ((zx_status_t)-43) /* stored data is gone */
#define ZX_ERR_IO_NOT_PRESENT     ((zx_status_t)-44) /* the device was taken away */
#define ZX_ERR_IO_OVERRUN         ((zx_status_t)-45) /* more data than the device expected */
#define ZX_ERR_IO_MISSED_DEADLINE ((zx_status_t)-46) /* the device could not keep its schedule */
#define ZX_ERR_IO_INVALID         ((zx_status_t)-47) /* the device rejects the parameters */

#define ZX_ERR_BAD_PATH  ((zx_status_t)-50) /* a path is malformed or too long */
#define ZX_ERR_NOT_DIR   ((zx_status_t)-51) /* a directory is needed here */
#define ZX_ERR_NOT_FILE  ((zx_status_t)-52) /* a regular file is needed here */
#define ZX_ERR_FILE_BIG  ((zx_status_t)-53) /* a file would exceed the format's limit */
#define ZX_ERR_NO_SPACE  ((zx_status_t)-54) /* the file system is full */
#define ZX_ERR_NOT_EMPTY ((zx_status_t)-55) /* a directory still has entries */

#define ZX_ERR_STOP  ((zx_status_t)-60) /* flow control of iterators: end */
#define ZX_ERR_NEXT  ((zx_status_t)-61) /* flow control of iterators: go on */
#define ZX_ERR_ASYNC ((zx_status_t)-62) /* the operation goes on and reports later */

#define ZX_ERR_PROTOCOL_NOT_SUPPORTED ((zx_status_t)-70)
#define ZX_ERR_ADDRESS_UNREACHABLE    ((zx_status_t)-71)
#define ZX_ERR_ADDRESS_IN_USE         ((zx_status_t)-72)
#define ZX_ERR_NOT_CONNECTED          ((zx_status_t)-73)
#define ZX_ERR_CONNECTION_REFUSED     ((zx_status_t)-74)
#define ZX_ERR_CONNECTION_RESET       ((zx_status_t)-75)
#define ZX_ERR_CONNECTION_ABORTED     ((zx_status_t)-76)

/* The waiting thread is being killed; never leaves the kernel. */
#define ZX_ERR_INTERNAL_INTR_KILLED ((zx_status_t)-502)

#endif
