/*
 * modules.S - the images that are linked into guest.elf as the built-in boot modules. Each starts
 * on a page of its own, so that zvmm can map it from the file and the kernel can hand its pages to a
 * VMO.
 */
.macro module name, file
    .section .module.\name, "a"
    .balign 4096
    .globl zv_module_\name\()_start, zv_module_\name\()_end
zv_module_\name\()_start:
    .incbin "\file"
zv_module_\name\()_end:
    .balign 4096
.endm

    module vdso, "images/vdso/libzircon.so"
    module userboot, "images/userboot/userboot.elf"
    module zbi, "images/boot.zbi"

    .section .note.GNU-stack, "", @progbits
