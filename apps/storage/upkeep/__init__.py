"""Work over whole tables, for commands: new forms, new keys, guards that do not match."""
