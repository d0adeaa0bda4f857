/* symbolize.c - addresses of the guest kernel to function, file and line. For reports only. */
#include "symbolize.h"

#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct symbolizer {
    int fd;
    Elf *elf;
    Dwarf *dwarf; /* NULL without debugging information */
};

struct symbolizer *symbolize_open(const char *path)
{
    struct symbolizer *symbolizer = calloc(1, sizeof(*symbolizer));
    if (symbolizer == NULL)
        return NULL;
    symbolizer->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (symbolizer->fd < 0)
        goto free_it;
    elf_version(EV_CURRENT);
    symbolizer->elf = elf_begin(symbolizer->fd, ELF_C_READ_MMAP, NULL);
    if (symbolizer->elf == NULL)
        goto close_it;
    symbolizer->dwarf = dwarf_begin_elf(symbolizer->elf, DWARF_C_READ, NULL);
    return symbolizer;

close_it:
    close(symbolizer->fd);
free_it:
    free(symbolizer);
    return NULL;
}

/* The function symbol that covers `address` in one symbol table; NULL if there is none. */
static const char *search_table(Elf *elf, Elf_Scn *section, uint64_t address, uint64_t *start)
{
    GElf_Shdr header;
    Elf_Data *data = elf_getdata(section, NULL);
    if (data == NULL || gelf_getshdr(section, &header) == NULL || header.sh_entsize == 0)
        return NULL;
    for (size_t i = 0; i < header.sh_size / header.sh_entsize; i++) {
        GElf_Sym symbol;
        if (gelf_getsym(data, (int)i, &symbol) == NULL)
            break;
        unsigned type = GELF_ST_TYPE(symbol.st_info);
        if ((type != STT_FUNC && type != STT_NOTYPE) || symbol.st_shndx == SHN_UNDEF)
            continue;
        uint64_t size = symbol.st_size != 0 ? symbol.st_size : 1;
        if (address < symbol.st_value || address - symbol.st_value >= size)
            continue;
        *start = symbol.st_value;
        return elf_strptr(elf, header.sh_link, symbol.st_name);
    }
    return NULL;
}

static const char *find_function(Elf *elf, uint64_t address, uint64_t *start)
{
    const char *name = NULL;
    for (Elf_Scn *section = NULL; name == NULL && (section = elf_nextscn(elf, section)) != NULL;) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) != NULL && header.sh_type == SHT_SYMTAB)
            name = search_table(elf, section, address, start);
    }
    return name;
}

/* The compilation unit's line for `address`; units without an address index are tried in turn. */
static const char *find_line(Dwarf *dwarf, uint64_t address, int *number)
{
    Dwarf_Off offset = 0, next;
    size_t header_bytes;
    for (; dwarf_nextcu(dwarf, offset, &next, &header_bytes, NULL, NULL, NULL) == 0;
         offset = next) {
        Dwarf_Die unit;
        if (dwarf_offdie(dwarf, offset + header_bytes, &unit) == NULL)
            continue;
        if (dwarf_haspc(&unit, address) <= 0)
            continue;
        Dwarf_Line *line = dwarf_getsrc_die(&unit, address);
        const char *file = line != NULL ? dwarf_linesrc(line, NULL, NULL) : NULL;
        if (file != NULL && dwarf_lineno(line, number) == 0)
            return file;
    }
    return NULL;
}

void symbolize(struct symbolizer *symbolizer, uint64_t address, char *text, size_t room)
{
    uint64_t start = 0;
    int line = 0;
    text[0] = '\0';
    if (symbolizer == NULL)
        return;
    const char *name = find_function(symbolizer->elf, address, &start);
    const char *file =
        symbolizer->dwarf != NULL ? find_line(symbolizer->dwarf, address, &line) : NULL;
    size_t used = 0;
    if (name != NULL)
        used =
            (size_t)snprintf(text, room, " %s+%#llx", name, (unsigned long long)(address - start));
    if (file != NULL && used < room)
        snprintf(text + used, room - used, " (%s:%d)", file, line);
}

void symbolize_close(struct symbolizer *symbolizer)
{
    if (symbolizer == NULL)
        return;
    if (symbolizer->dwarf != NULL)
        dwarf_end(symbolizer->dwarf);
    elf_end(symbolizer->elf);
    close(symbolizer->fd);
    free(symbolizer);
}
