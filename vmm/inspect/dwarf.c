/* dwarf.c - an ELF file's symbols and an index of the names in its debugging information. */
#include "inspect/dwarf.h"

#include <dwarf.h>
#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { INDEX_BUCKETS = 4096, SIZELESS_MAX = 4096 };

/* A name at the top level of a compilation unit. */
struct name {
    const char *text;
    Dwarf_Off die;
    int tag;
    struct name *next;
};

struct symbols {
    int fd;
    Elf *elf;
    Dwarf *dwarf;          /* NULL without debugging information */
    struct symbol *sorted; /* by address */
    size_t count;
    struct name **index; /* INDEX_BUCKETS; NULL until first asked */
};

/* ---- Opening ------------------------------------------------------------------------------- */

static int compare_symbols(const void *a, const void *b)
{
    const struct symbol *x = a, *y = b;
    if (x->address != y->address)
        return x->address < y->address ? -1 : 1;
    if (x->size != y->size) /* of aliases the one that has a size comes last: it is found */
        return x->size < y->size ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void take_symbols(struct symbols *symbols, Elf_Scn *section, const GElf_Shdr *header)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t count = header->sh_entsize != 0 ? header->sh_size / header->sh_entsize : 0;
    if (data == NULL || symbols->sorted != NULL)
        return;
    symbols->sorted = calloc(count + 1, sizeof(*symbols->sorted));
    for (size_t i = 0; symbols->sorted != NULL && i < count; i++) {
        GElf_Sym symbol;
        if (gelf_getsym(data, (int)i, &symbol) == NULL)
            break;
        unsigned type = GELF_ST_TYPE(symbol.st_info);
        const char *name = elf_strptr(symbols->elf, header->sh_link, symbol.st_name);
        if (type > STT_FUNC || symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS ||
            name == NULL || name[0] == '\0')
            continue;
        symbols->sorted[symbols->count++] =
            (struct symbol){.name = name, .address = symbol.st_value, .size = symbol.st_size};
    }
}

static void read_symbols(struct symbols *symbols, GElf_Word kind)
{
    for (Elf_Scn *section = NULL; (section = elf_nextscn(symbols->elf, section)) != NULL;) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) != NULL && header.sh_type == kind)
            take_symbols(symbols, section, &header);
    }
    if (symbols->sorted != NULL)
        qsort(symbols->sorted, symbols->count, sizeof(*symbols->sorted), compare_symbols);
}

int symbols_open_fd(int fd, const char *name, struct symbols **out, struct zvmm_error *error)
{
    struct symbols *symbols = calloc(1, sizeof(*symbols));
    if (symbols == NULL) {
        close(fd);
        return error_set(error, "%s: out of memory", name);
    }
    symbols->fd = fd;
    elf_version(EV_CURRENT);
    symbols->elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    if (symbols->elf == NULL || elf_kind(symbols->elf) != ELF_K_ELF) {
        symbols_close(symbols);
        return error_set(error, "%s is not an ELF file: name the guest kernel that ran", name);
    }
    read_symbols(symbols, SHT_SYMTAB);
    if (symbols->count == 0)
        read_symbols(symbols, SHT_DYNSYM);
    symbols->dwarf = dwarf_begin_elf(symbols->elf, DWARF_C_READ, NULL);
    *out = symbols;
    return 0;
}

int symbols_open(const char *path, struct symbols **out, struct zvmm_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(error, "cannot open %s: %s: name the guest kernel with --guest", path,
                         strerror(errno));
    return symbols_open_fd(fd, path, out, error);
}

void symbols_close(struct symbols *symbols)
{
    if (symbols == NULL)
        return;
    for (unsigned i = 0; symbols->index != NULL && i < INDEX_BUCKETS; i++) {
        for (struct name *name = symbols->index[i], *next; name != NULL; name = next) {
            next = name->next;
            free(name);
        }
    }
    free(symbols->index);
    free(symbols->sorted);
    if (symbols->dwarf != NULL)
        dwarf_end(symbols->dwarf);
    if (symbols->elf != NULL)
        elf_end(symbols->elf);
    close(symbols->fd);
    free(symbols);
}

size_t symbols_build_id(const struct symbols *symbols, const void **id)
{
    ssize_t length = dwelf_elf_gnu_build_id(symbols->elf, id);
    return length > 0 ? (size_t)length : 0;
}

bool symbols_have_names(const struct symbols *symbols)
{
    return symbols->count > 0;
}

bool symbols_have_types(const struct symbols *symbols)
{
    return symbols->dwarf != NULL;
}

Elf *symbols_elf(const struct symbols *symbols)
{
    return symbols->elf;
}

Dwarf *symbols_dwarf(const struct symbols *symbols)
{
    return symbols->dwarf;
}

/* ---- Symbol table -------------------------------------------------------------------------- */

bool symbols_at(struct symbols *symbols, uint64_t address, struct symbol *out)
{
    size_t low = 0, high = symbols->count;
    while (low < high) { /* the first one above `address` */
        size_t middle = low + (high - low) / 2;
        if (symbols->sorted[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return false;
    *out = symbols->sorted[low - 1];
    /* Assembly often leaves the size out: then the symbol reaches to the next one. */
    return address - out->address < (out->size != 0 ? out->size : SIZELESS_MAX);
}

bool symbols_named(struct symbols *symbols, const char *name, struct symbol *out)
{
    for (size_t i = 0; i < symbols->count; i++) {
        if (strcmp(symbols->sorted[i].name, name) == 0) {
            *out = symbols->sorted[i];
            return true;
        }
    }
    return false;
}

void symbols_describe(struct symbols *symbols, uint64_t address, char *text, size_t room)
{
    struct symbol symbol;
    text[0] = '\0';
    if (!symbols_at(symbols, address, &symbol))
        return;
    if (symbol.address == address)
        snprintf(text, room, "%s", symbol.name);
    else
        snprintf(text, room, "%s+%#llx", symbol.name,
                 (unsigned long long)(address - symbol.address));
}

/* ---- Index of names ------------------------------------------------------------------------ */

static unsigned hash(const char *text)
{
    unsigned value = 2166136261u;
    for (; *text != '\0'; text++)
        value = (value ^ (unsigned char)*text) * 16777619u;
    return value % INDEX_BUCKETS;
}

static void index_name(struct symbols *symbols, const char *text, int tag, Dwarf_Die *die)
{
    struct name *name = malloc(sizeof(*name));
    if (name == NULL)
        return;
    struct name **bucket = &symbols->index[hash(text)];
    *name = (struct name){.text = text, .die = dwarf_dieoffset(die), .tag = tag, .next = *bucket};
    *bucket = name;
}

static void index_enumerators(struct symbols *symbols, Dwarf_Die *type)
{
    Dwarf_Die die;
    if (dwarf_child(type, &die) != 0)
        return;
    do {
        const char *name = dwarf_diename(&die);
        if (name != NULL && dwarf_tag(&die) == DW_TAG_enumerator)
            index_name(symbols, name, DW_TAG_enumerator, &die);
    } while (dwarf_siblingof(&die, &die) == 0);
}

static void index_die(struct symbols *symbols, Dwarf_Die *die)
{
    int tag = dwarf_tag(die);
    const char *name;
    switch (tag) {
    case DW_TAG_enumeration_type:
        index_enumerators(symbols, die);
        /* fall through */
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
    case DW_TAG_typedef:
    case DW_TAG_base_type:
        name = dwarf_hasattr(die, DW_AT_declaration) ? NULL : dwarf_diename(die);
        break;
    case DW_TAG_variable: /* optimised at link time: the name is that of its abstract origin */
        name = dwarf_hasattr(die, DW_AT_location) ? dwarf_diename(die) : NULL;
        break;
    default:
        name = NULL;
    }
    if (name != NULL)
        index_name(symbols, name, tag, die);
}

/* Only the top level of each unit is looked at: a few milliseconds for a kernel. */
static void build_index(struct symbols *symbols)
{
    Dwarf_Off offset = 0, next;
    size_t header;
    symbols->index = calloc(INDEX_BUCKETS, sizeof(struct name *));
    if (symbols->index == NULL || symbols->dwarf == NULL)
        return;
    for (; dwarf_nextcu(symbols->dwarf, offset, &next, &header, NULL, NULL, NULL) == 0;
         offset = next) {
        Dwarf_Die unit, die;
        if (dwarf_offdie(symbols->dwarf, offset + header, &unit) == NULL ||
            dwarf_child(&unit, &die) != 0)
            continue;
        do
            index_die(symbols, &die);
        while (dwarf_siblingof(&die, &die) == 0);
    }
}

static const struct name *first_name(struct symbols *symbols, const char *text)
{
    if (symbols->index == NULL)
        build_index(symbols);
    return symbols->index != NULL ? symbols->index[hash(text)] : NULL;
}

bool symbols_line(struct symbols *symbols, uint64_t address, const char **file, int *line)
{
    Dwarf_Die unit;
    if (symbols->dwarf == NULL || dwarf_addrdie(symbols->dwarf, address, &unit) == NULL)
        return false;
    Dwarf_Line *found = dwarf_getsrc_die(&unit, address);
    *file = found != NULL ? dwarf_linesrc(found, NULL, NULL) : NULL;
    return *file != NULL && dwarf_lineno(found, line) == 0;
}

static int tag_of_name(const char **name)
{
    static const struct {
        const char *word;
        int tag;
    } words[] = {{"struct ", DW_TAG_structure_type},
                 {"union ", DW_TAG_union_type},
                 {"enum ", DW_TAG_enumeration_type}};
    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t length = strlen(words[i].word);
        if (strncmp(*name, words[i].word, length) == 0) {
            *name += length;
            return words[i].tag;
        }
    }
    return 0;
}

static bool tag_matches(int wanted, int tag)
{
    return wanted != 0 ? tag == wanted : tag == DW_TAG_typedef || tag == DW_TAG_base_type;
}

bool symbols_type(struct symbols *symbols, const char *name, unsigned nth, Dwarf_Die *out)
{
    uint64_t seen[8];
    unsigned found = 0;
    int tag = tag_of_name(&name);
    for (const struct name *at = first_name(symbols, name); at != NULL; at = at->next) {
        if (!tag_matches(tag, at->tag) || strcmp(at->text, name) != 0 ||
            dwarf_offdie(symbols->dwarf, at->die, out) == NULL)
            continue;
        uint64_t size = type_size(out);
        bool known = false;
        for (unsigned i = 0; i < found; i++)
            known = known || seen[i] == size;
        if (known)
            continue;
        if (found == nth)
            return true;
        if (found == sizeof(seen) / sizeof(seen[0]))
            return false;
        seen[found++] = size;
    }
    return false;
}

/* The type that a DIE or its abstract origin names. */
static bool type_of(Dwarf_Die *die, Dwarf_Die *out)
{
    Dwarf_Attribute attribute;
    return dwarf_attr_integrate(die, DW_AT_type, &attribute) != NULL &&
           dwarf_formref_die(&attribute, out) != NULL;
}

bool symbols_variable(struct symbols *symbols, const char *name, uint64_t *address, Dwarf_Die *type)
{
    for (const struct name *at = first_name(symbols, name); at != NULL; at = at->next) {
        Dwarf_Attribute attribute;
        Dwarf_Die die;
        Dwarf_Op *ops;
        size_t count;
        if (at->tag != DW_TAG_variable || strcmp(at->text, name) != 0 ||
            dwarf_offdie(symbols->dwarf, at->die, &die) == NULL || !type_of(&die, type) ||
            dwarf_attr(&die, DW_AT_location, &attribute) == NULL ||
            dwarf_getlocation(&attribute, &ops, &count) != 0 || count != 1 ||
            ops[0].atom != DW_OP_addr)
            continue;
        *address = ops[0].number;
        return true;
    }
    return false;
}

bool symbols_constant(struct symbols *symbols, const char *name, int64_t *value)
{
    for (const struct name *at = first_name(symbols, name); at != NULL; at = at->next) {
        Dwarf_Die die;
        if (at->tag == DW_TAG_enumerator && strcmp(at->text, name) == 0 &&
            dwarf_offdie(symbols->dwarf, at->die, &die) != NULL && die_constant(&die, value))
            return true;
    }
    return false;
}
