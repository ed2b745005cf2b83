/* tests/plugins/nameless.c -- a library, and no plug-in. */
int some_other_symbol(void);
int some_other_symbol(void)
{
    return 42;
}
