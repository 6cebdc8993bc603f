"""One split and some candidates in, their evaluations out; it runs in a worker."""
