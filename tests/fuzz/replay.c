/*
 * replay.c - main() for the fuzz target without a fuzzer: runs each file given, or every file of
 * each folder given, and prints one TAP line for each argument.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t bytes[1 << 20];

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t size;

    if (!file) {
        perror(path);
        exit(1);
    }
    size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    if (getenv("V"))
        fprintf(stderr, "# %s\n", path);
    LLVMFuzzerTestOneInput(bytes, size);
}

static unsigned run_folder(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    unsigned count = 0;
    char file[4096];

    while (folder && (entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        run_file(file);
        count++;
    }
    if (folder)
        closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("1..%d\n", argc - 1);
    for (int i = 1; i < argc; i++) {
        struct stat info;
        unsigned count = 1;

        if (stat(argv[i], &info) == 0 && S_ISDIR(info.st_mode))
            count = run_folder(argv[i]);
        else
            run_file(argv[i]);
        printf("ok %d - %s (%u inputs)\n", i, argv[i], count);
    }
    return 0;
}
