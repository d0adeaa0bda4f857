/*
 * note.S - the ELF note by which zvmm knows its guests: struct zv_note of shared/hypercall.h. The
 * module ranges come from kernel.lds, which knows whether a module was linked in.
 */
    .section .note.zvmm, "a", @note
    .balign 4
    .long name_end - name
    .long description_end - description
    .long 1                             /* ZV_NOTE_TYPE */
name:
    .asciz "zvmm"                       /* ZV_NOTE_NAME */
name_end:
    .balign 4
description:
    .long 4                             /* ZV_ABI_VERSION */
    .long 0
    .quad note_vdso_paddr, note_vdso_length
    .quad note_userboot_paddr, note_userboot_length
    .quad note_zbi_paddr, note_zbi_length
    .quad 0, 0
description_end:

    .section .note.GNU-stack, "", @progbits
