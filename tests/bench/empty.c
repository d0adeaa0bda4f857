/* empty.c - what any static program costs before its main(): start.sh takes it off. */
int main(void)
{
    return 0;
}
