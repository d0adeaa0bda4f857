/*
 * A guest for QEMU, started at a PVH entry: writes a word into each of 1,024 pages from 4 MiB on, says
 * so on the debug console, and halts.
 */
    .section .note.Xen, "a", @note
    .long 4, 4, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .long _start

    .text
    .code32
    .globl _start
_start:
    movl $0x400000, %edi
    movl $1024, %ecx
1:  incl (%edi)
    addl $4096, %edi
    loop 1b
    movb $'!', %al
    outb %al, $0xe9
2:  hlt
    jmp 2b
