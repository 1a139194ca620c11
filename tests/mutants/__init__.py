"""Our own code with one fault at a time: the tests must see every one."""
